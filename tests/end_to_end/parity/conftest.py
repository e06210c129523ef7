"""A site twice: by one process, and by one for each unit behind the fronts that are built from the export."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import socket

import pytest

from multiserve.config.file import load_config
from multiserve.export.units import find_units

PATH = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
PATIENCE = 30.0  # seconds: for a machine that is busy with other things
# What concerns one connection alone, what says which program has answered, and when.
LEFT_OUT = {"connection", "date", "expires", "keep-alive", "server", "transfer-encoding"}
REFUSED = 400
# What is made up for each response.
RANDOM = re.compile(
    rb'(?<=name="csrfmiddlewaretoken" value=")\w+|(?<=csrftoken=)\w+|(?<=name="csrf_token" value=")[\w.-]+'
    rb"|(?<=session=)[\w.-]+|(?<=expires=)[\w ,:-]+"
)
NGINX = """\
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include deploy/multiserve.conf;
}}
"""


def free_port():
    """Return a port that is free, from where the system takes none by itself before a front has it."""
    for port in random.sample(range(10_000, 30_000), 1000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    return pytest.fail("no port is free")


def read_answer(raw):
    """Return status, headers and body, without what differs between two responses to the same request."""
    begin, _, body = raw.partition(b"\r\n\r\n")
    while re.match(rb"HTTP/1\.1 1\d\d ", begin):
        begin, _, body = body.partition(b"\r\n\r\n")
    first, *lines = begin.split(b"\r\n")
    if not first.startswith(b"HTTP/1.") or (status := int(first.split(b" ")[1])) == REFUSED:
        return (REFUSED,)  # in the words of whoever refuses
    headers = sorted(
        (name.decode().lower(), value.strip()) for name, _, value in (each.partition(b":") for each in lines)
    )
    if ("transfer-encoding", b"chunked") in headers:
        body = join_chunks(body)
    headers = [(name, b", ".join(sorted(value.split(b", "))) if name == "allow" else value) for name, value in headers]
    kept = [(name, RANDOM.sub(b"-", value)) for name, value in headers if name not in LEFT_OUT]
    return status, kept, RANDOM.sub(b"-", body)


def join_chunks(data):
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return body


def ask(port, request):
    """Send a request that closes the connection, and return the answer."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        return exchange(connection, request)


def exchange(connection, request):
    connection.sendall(request)
    data = []
    with contextlib.suppress(ConnectionResetError):  # whoever refuses does not read everything
        while more := connection.recv(65536):
            data.append(more)
    return read_answer(b"".join(data))


class Site:
    """One process, the units, and the fronts that this machine has.

    Attributes:
        folder: The folder of the site.
        one: The process that serves everything.
        ports: The port of each front, by its name.
    """

    def __init__(self, start, folder, env):
        self.folder = folder
        self._processes = []
        self._start = lambda *given, **options: self._processes.append(start(*given, **options)) or self._processes[-1]
        self._answers = {}
        self.one = self._start("run", "--production", "--port", "0", "--workers", "1", cwd=folder, env=env)
        self._units = find_units(load_config(folder / "multiserve.toml"))
        (folder / "run").mkdir()
        for unit in self._units:
            more = ("--trusted-proxies", "1", "--bind", f"unix:{folder}/run/{unit.name}.sock", "--workers", "1")
            self._start("run", "--production", *more, *unit.arguments, cwd=folder, env=env)
        self.ports = {}
        for name, begin in (("nginx", self._start_nginx), ("haproxy", self._start_haproxy)):
            if program := shutil.which(name, path=PATH):
                self.ports[name] = free_port()
                self._export(name)
                begin(program)

    def _export(self, front):
        options = ("--address", f"unix:{self.folder}/run/{{unit}}.sock", "--listen", str(self.ports[front]))
        assert self._start("export", front, "-o", "deploy", *options, cwd=self.folder).wait() == 0

    def _start_nginx(self, program):
        user = "user root root;" if os.geteuid() == 0 else ""  # who may open the sockets in the folder of a test
        (self.folder / "nginx.conf").write_text(NGINX.format(user=user))
        self._start("-p", str(self.folder), "-c", "nginx.conf", "-e", "stderr", cwd=self.folder, command=(program,))

    def _start_haproxy(self, program):
        self._start("-db", "-f", "deploy/multiserve.cfg", cwd=self.folder, command=(program,))

    def answer_of_unit(self, name, request):
        """Return the answer of a unit that is asked without a front."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.folder / "run" / f"{name}.sock"))
            return exchange(connection, request)

    def ready(self):
        """Wait until all of it answers."""
        self.one.ready()
        for unit in self._units:
            path = self.folder / "run" / f"{unit.name}.sock"
            self.one.until(path.exists, f"the socket of {unit.name}")
        for front, port in self.ports.items():
            self.one.until(lambda port=port: ask(port, self.head("/"))[0] < 500, f"an answer of {front}")
        return self

    def stop(self):
        """Ask all processes to end, so that they do it at the same time."""
        for process in self._processes:
            process.signal("SIGTERM")

    @staticmethod
    def head(target, *headers, method="GET", host="localhost"):
        """Return a request; that of POST has a form."""
        form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 3") if method == "POST" else ()
        lines = (f"{method} {target} HTTP/1.1", f"Host: {host}", *headers, *form, "Connection: close", "", "")
        return "\r\n".join(lines).encode("latin-1") + (b"a=b" if form else b"")

    def answer(self, request):
        """Return the answer of the one process, which is asked once."""
        if request not in self._answers:
            self._answers[request] = ask(int(self.one.address.rpartition(":")[2]), request)
        return self._answers[request]

    def differences(self, front, requests):
        """Return what the one process, and what the units behind a front answer, by names, where that differs."""
        if front not in self.ports:
            pytest.skip(f"no {front} on this machine")
        answers = {name: (self.answer(each), ask(self.ports[front], each)) for name, each in requests.items()}
        return {name: both for name, both in answers.items() if both[0] != both[1]}


@pytest.fixture(scope="module")
def start_site(start_for_module):
    """Start the site of a folder, with these environment variables."""
    sites = []

    def start_site(folder, env=None):
        sites.append(Site(start_for_module, folder, env or {}))
        return sites[-1].ready()

    yield start_site
    for site in sites:
        site.stop()


@pytest.fixture(params=["nginx", "haproxy"])
def front(request):
    """Return the name of a front."""
    return request.param
