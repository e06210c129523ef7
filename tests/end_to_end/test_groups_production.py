"""Groups in production: what becomes of the others when the process of one is killed, broken or changed."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from multiserve.reports.schemas import output_schema

pytest.importorskip("aiohttp", reason="groups need multiserve[proxy]")

WSGI = """
import os, pathlib, signal, time

folder = pathlib.Path(__file__).parent

def application(environ, start_response):
    if environ["PATH_INFO"] == "/wait":
        (folder / "waiting").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    if environ["PATH_INFO"] == "/segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if environ["PATH_INFO"] == "/eat":
        application.eaten = bytearray(os.urandom(1)) * (160 * 1024 * 1024)
    if environ["PATH_INFO"] == "/process":
        body = repr([os.getpid(), os.getppid(), os.getcwd(), os.environ.get("WHERE"), os.environ.get("KEPT")]).encode()
    else:
        body = b"@version@"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

ASGI = """
import asyncio, pathlib

folder = pathlib.Path(__file__).parent

async def application(scope, receive, send):
    await {"lifespan": lifespan, "websocket": websocket, "http": http}[scope["type"]](scope, receive, send)

async def lifespan(scope, receive, send):
    await receive()
    if (folder / "fail").exists():
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
    (folder / "shut down").touch()

async def websocket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    while (await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": "@version@"})

async def http(scope, receive, send):
    body = b"@version@"
    if scope["path"].endswith("/stream"):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(0.02)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""

TOML = """\
[mounts]
"/" = "front"
"/old" = { app = "old", group = "old" }
"/new" = { app = "new", group = "new" }
[groups.old]
workers = 2
directory = "elsewhere"
[groups.old.env]
WHERE = "in the group"
[groups.new]
[env]
KEPT = "for all"
[gunicorn]
workers = 1
graceful_timeout = 3
pidfile = "pid"
"""
PATHS = ("/", "/old", "/new")
SCHEMA = Draft7Validator(output_schema("status"))


class Site:
    """A server with two groups, and what is done to it."""

    def __init__(self, folder, start, toml=TOML, *, env=None):
        self.folder = folder
        self.ticks = itertools.count(1)
        (folder / "elsewhere").mkdir()
        self.write("multiserve.toml", toml)
        self.write_all(1)
        self.server = start("run", "--production", "--port", "0", cwd=folder, env=env or {}).ready()

    def write(self, name, text):
        """Write a file with a time that no file before it had: else Python takes what it has compiled."""
        path = self.folder / name
        path.write_text(text)
        os.utime(path, (path.stat().st_mtime + next(self.ticks),) * 2)

    def write_all(self, version):
        for name, source in (("front", WSGI), ("old", WSGI), ("new", ASGI)):
            self.write(f"{name}.py", source.replace("@version@", f"{name} {version}"))

    def command(self, *arguments):
        """Run a command of multiserve to its end, and return its exit code and all that it says."""
        command = [sys.executable, "-m", "multiserve", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def status(self):
        code, text = self.command("status", "--format", "json")
        assert code == 0, text
        status = json.loads(text)
        assert [each.message for each in SCHEMA.iter_errors(status)] == []
        return status

    def group(self, name):
        return next(group for group in self.status()["groups"] if group["name"] == name)

    def until_group(self, name, condition):
        self.server.until(lambda: condition(self.group(name)), f"a state of the group {name}")

    def get(self, path):
        return self.server.get(path)

    def processes(self):
        """The process ids of the two groups."""
        return {group["name"]: group["process"]["pid"] for group in self.status()["groups"]}


def is_gone(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.fixture
def site(start, tmp_path):
    return Site(tmp_path, start)


# The parameter is there for its mark: one process starts the server.
@pytest.fixture(scope="module", params=[pytest.param("", marks=pytest.mark.xdist_group("groups"))])
def _steady(start_for_module, tmp_path_factory):
    return Site(tmp_path_factory.mktemp("steady"), start_for_module)


@pytest.fixture
def steady(_steady):
    """Return a server that serves the same after the test as before."""
    yield _steady
    _steady.write("multiserve.toml", TOML)
    _steady.write_all(1)


def until_served(site, load, more=200):
    enough = load.count + more
    site.server.until(lambda: load.count >= enough, f"{more} answers")


def test_each_group_is_a_process_of_its_own_with_its_own_surroundings(start, tmp_path):
    site = Site(tmp_path, start, env={"VIRTUAL_ENV": "of the terminal"})
    seen = {
        path: json.loads(site.get(f"{path}/process").text.replace("'", '"').replace("None", "null"))
        for path in ("", "/old")
    }
    assert seen[""][2:] == [str(tmp_path), None, "for all"]
    assert seen["/old"][2:] == [str(tmp_path / "elsewhere"), "in the group", "for all"]
    status = site.status()
    assert {group["name"]: len(group["workers"]) for group in status["groups"]} == {"old": 2, "new": 1}
    assert seen["/old"][1] == site.group("old")["process"]["pid"]
    assert seen[""][1] == status["process"]["pid"] == site.server.pid
    assert [(each["mount"], each["group"], each["state"]) for each in status["mounts"]] == [
        ("/", "", "ok"), ("/old", "old", "ok"), ("/new", "new", "ok"),
    ]  # fmt: skip
    assert [site.get(path).text for path in PATHS] == ["front 1", "old 1", "new 1"]


def test_a_websocket_goes_through_to_the_process_of_a_group(steady):
    url = f"ws://{steady.server.address}/new/"
    with connect(url, proxy=None, subprotocols=["one", "two"]) as websocket:
        assert websocket.subprotocol == "one"
        websocket.send("which?")
        assert websocket.recv(20) == "new 1"
        code, text = steady.command("reload", "new")
        assert (code, text) == (0, "The group new has reloaded.\n")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(20)
    assert closed.value.rcvd.code == 1012


# What happens to one group concerns no other.


def test_a_neighbour_that_is_killed_by_a_signal_again_and_again_costs_the_others_nothing(steady, figures):
    with steady.server.load(["/", "/new"]) as load:
        for number in range(1, 6):
            assert steady.get("/old/segv").status == 502
            steady.server.until(lambda: steady.get("/old").status == 200, "an answer of the group")
            until_served(steady, load, 100 * number)
    figures(load)


def test_a_group_that_was_up_is_started_again_at_once_and_loses_no_connection(site, figures):
    before = site.group("old")
    with site.server.load(["/", "/new"]) as load:
        for pid in (before["process"]["pid"], *(worker["pid"] for worker in before["workers"])):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert site.get("/old").text == "old 1"  # it waits in the socket until the next process is there
        until_served(site, load)
    figures(load)
    after = site.group("old")
    assert (after["state"], after["restarts"]) == ("up", 1)
    assert after["process"]["pid"] != before["process"]["pid"]
    assert after["last_failure"] == "its process was ended by SIGKILL: the log may say why"


def test_a_group_that_cannot_start_answers_503_and_is_tried_again_until_it_can(start, tmp_path):
    (tmp_path / "broken").touch()
    broken = "import os, pathlib\nif (pathlib.Path(__file__).parent / 'broken').exists(): os._exit(9)\n" + WSGI
    (tmp_path / "dies.py").write_text(broken.replace("@version@", "alive"))
    site = Site(tmp_path, start, TOML.replace('app = "old"', 'app = "dies"'))
    answer = site.get("/old")
    assert (answer.status, answer.text) == (
        503, "Service Unavailable: the process of the group old, which serves /old, is down.\n",
    )  # fmt: skip
    assert [site.get(path).status for path in ("/", "/new")] == [200, 200]
    mount = next(each for each in site.status()["mounts"] if each["mount"] == "/old")
    assert mount["state"] == "failed"
    assert mount["reason"].endswith("ended before it could serve.")
    (tmp_path / "broken").unlink()
    site.server.until(lambda: site.get("/old").text == "alive", "the group to be tried again")
    site.until_group("old", lambda group: group["state"] == "up")


def test_a_mount_that_cannot_be_loaded_fails_alone_in_its_group(start, tmp_path):
    toml = TOML.replace("[groups.old]", '"/broken" = { app = "broken", group = "old" }\n[groups.old]')
    (tmp_path / "broken.py").write_text("import nope\n")
    site = Site(tmp_path, start, toml)
    assert "/broken  broken" in site.server.log
    assert "FAILED" in site.server.log
    assert [site.get(path).status for path in (*PATHS, "/broken")] == [200, 200, 200, 503]
    reason = next(each["reason"] for each in site.status()["mounts"] if each["mount"] == "/broken")
    assert "No module named 'nope'" in reason


@pytest.mark.parametrize("name", ["required = true, ", ""], ids=["required", "strict"])
def test_a_required_mount_of_a_group_refuses_the_start(start, tmp_path, name):
    toml = TOML.replace('app = "old", ', f'{name}app = "broken", ')
    (tmp_path / "multiserve.toml").write_text(toml)
    (tmp_path / "elsewhere").mkdir()
    for each in ("front", "new"):
        (tmp_path / f"{each}.py").write_text(WSGI)
    (tmp_path / "broken.py").write_text("import nope\n")
    server = start("run", "--production", "--port", "0", *([] if name else ["--strict"]), cwd=tmp_path)
    assert server.wait() == 3
    assert 'mounts."/old"' in server.log
    assert "No module named 'nope'" in server.log
    assert "multiserve: " not in server.log  # nothing is announced


def test_a_neighbour_that_eats_memory_is_replaced_and_nobody_notices(start, tmp_path, figures):
    toml = TOML.replace("workers = 2\n", 'workers = 1\nmax_memory = "128M"\n')
    site = Site(tmp_path, start, toml)
    (before,) = site.group("old")["workers"]
    with site.server.load(PATHS) as load:
        assert site.get("/old/eat").text == "old 1"
        site.server.until_logged(f"Worker (pid:{before['pid']}) takes more than max_memory, and is being replaced.")
        site.until_group("old", lambda group: [each["pid"] for each in group["workers"]] not in ([before["pid"]], []))
        until_served(site, load)
    figures(load)
    (after,) = site.group("old")["workers"]
    assert after["memory"] < 128 * 1024 * 1024


TENANTS = """\
[mounts]
"/" = "root"
"/u/{user}" = { app = "tenants:make", group = "apart" }
"{name}.example.com" = { app = "tenants:make", group = "apart" }
[groups.apart]
[gunicorn]
workers = 1
"""
MAKE = """
def make(name):
    async def application(scope, receive, send):
        assert scope["type"] != "lifespan"
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": name})
            await receive()
            return
        if scope["type"] == "http":
            body = name.encode()
            while (message := await receive())["type"] == "http.request":
                body += message["body"]
                if not message["more_body"]:
                    break
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
    return None if name.startswith("no") else application

application = make("root ")
"""


def test_a_name_that_is_no_tenant_of_a_group_goes_to_the_next_best_mount(start, tmp_path):
    (tmp_path / "multiserve.toml").write_text(TENANTS)
    (tmp_path / "tenants.py").write_text(MAKE)
    (tmp_path / "root.py").write_text(MAKE)
    server = start("run", "--production", "--port", "0", cwd=tmp_path).ready()
    browser = server.browser()
    assert browser.get("/u/jane/x").text == "jane"
    assert browser.get("/u/nobody/x").text == "root "
    assert browser.get("/", Host="jane.example.com").text == "jane"
    assert browser.get("/", Host="nobody.example.com").text == "root "
    body = b"x" * 300_000
    for path, name in (("/u/jane", "jane"), ("/u/nobody", "root ")):
        for framing in ({"Content-Length": str(len(body))}, {"Transfer-Encoding": "chunked"}):
            answer = browser.request("POST", path, iter([body]) if "Transfer-Encoding" in framing else body, framing)
            assert answer.text == name + body.decode()
    for path, name in (("u/jane", "jane"), ("u/nobody", "root ")):
        with connect(f"ws://{server.address}/{path}", proxy=None) as websocket:
            assert websocket.recv(20) == name


# Reloads and restarts.


def test_a_reload_swaps_every_group_and_nobody_notices(site, figures):
    before = site.processes()
    with site.server.load(PATHS) as load:
        until_served(site, load, 100)
        site.write_all(2)
        assert site.command("reload") == (0, f"Process {site.server.pid} has reloaded.\n")
        assert [site.get(path).text for path in PATHS] == ["front 2", "old 2", "new 2"]
        until_served(site, load)
    figures(load)
    assert site.processes() == before


def test_a_reload_or_a_restart_of_one_group_leaves_the_others_alone(site, figures):
    before = site.processes()
    with site.server.load(PATHS) as load:
        site.write_all(2)
        assert site.command("reload", "old") == (0, "The group old has reloaded.\n")
        assert [site.get(path).text for path in PATHS] == ["front 1", "old 2", "new 1"]
        assert site.processes() == before
        assert site.command("restart", "new") == (0, "The group new runs in a new process.\n")
        assert [site.get(path).text for path in PATHS] == ["front 1", "old 2", "new 2"]
        until_served(site, load)
    figures(load)
    after = site.processes()
    assert (after["old"] == before["old"], after["new"] == before["new"]) == (True, False)


BROKEN = [
    pytest.param("old.py", "import nope\n", "No module named 'nope'", id="ImportError"),
    pytest.param("old.py", "def (:\n", "SyntaxError", id="SyntaxError"),
    pytest.param("old.py", "import os\nos._exit(7)\n", "ended before it could serve", id="os._exit"),
    pytest.param("new.py", ASGI.replace('(folder / "fail").exists()', "True"), "no database", id="a failing lifespan"),
]


@pytest.mark.parametrize("command", ["reload", "restart"])
@pytest.mark.parametrize(("name", "text", "reason"), BROKEN)
def test_a_group_whose_code_is_broken_stays_as_it_was(steady, figures, command, name, text, reason):
    group = name.removesuffix(".py")
    with steady.server.load(PATHS) as load:
        steady.write(name, text)
        code, said = steady.command(command, group)
        until_served(steady, load, 100)
    figures(load)
    assert code == 3
    assert said.startswith(f"Error: the process of the group {group} stays as it was:\n")
    assert reason in said + steady.server.log
    assert [steady.get(path).text for path in PATHS] == ["front 1", "old 1", "new 1"]


def test_a_whole_reload_takes_what_is_right_and_names_the_group_that_is_not(site, figures):
    with site.server.load(PATHS) as load:
        site.write_all(2)
        site.write("old.py", "import nope\n")
        code, said = site.command("reload")
        until_served(site, load, 100)
    figures(load)
    assert code == 3
    assert "the process of the group old stays as it was:\n" in said
    assert "No module named 'nope'" in said
    assert [site.get(path).text for path in PATHS] == ["front 2", "old 1", "new 2"]


def test_a_file_that_is_wrong_changes_nothing(steady, figures):
    before = steady.processes()
    with steady.server.load(PATHS) as load:
        steady.write_all(2)
        steady.write("multiserve.toml", "[mounts\n")
        code, said = steady.command("reload", "--pid", "pid")
        until_served(steady, load, 100)
    figures(load)
    assert (code, "multiserve.toml:1:8: not TOML" in said) == (3, True)
    steady.write("multiserve.toml", TOML)
    assert steady.processes() == before
    assert [steady.get(path).text for path in PATHS] == ["front 1", "old 1", "new 1"]


def test_groups_and_mounts_come_and_go_with_the_file(site, figures):
    before = site.processes()
    with site.server.load(PATHS) as load:
        moved = TOML.replace('group = "new"', 'group = "third"').replace("[groups.new]", "[groups.third]")
        site.write("multiserve.toml", moved.replace('WHERE = "in the group"', 'WHERE = "another"'))
        assert site.command("reload") == (0, f"Process {site.server.pid} has reloaded.\n")
        until_served(site, load)
    figures(load)
    after = site.processes()
    assert sorted(after) == ["old", "third"]
    site.server.until(lambda: is_gone(before["new"]), "the end of a group that is no more")
    assert "another" in site.get("/old/process").text
    with site.server.load(PATHS) as load:
        site.write(
            "multiserve.toml", TOML.replace('{ app = "new", group = "new" }', '"new"').replace("[groups.new]\n", "")
        )
        assert site.command("reload")[0] == 0
        until_served(site, load)
    figures(load)
    assert list(site.processes()) == ["old"]


def test_what_is_asked_wrongly_is_refused(steady):
    assert steady.command("restart", "od") == (3, 'Error: there is no group "od"\n    Did you mean "old"?\n')
    steady.write("multiserve.toml", TOML.replace('"/new" = {', '"/newer" = {'))
    assert steady.command("reload", "new") == (
        3, 'Error: the mounts of the group new have changed\n    Type "multiserve reload", which reloads everything.\n',
    )  # fmt: skip


# The end.


def test_sigterm_ends_the_groups_after_the_front_and_loses_nothing(site, figures):
    pids = site.processes().values()
    with site.server.load(PATHS) as load:
        until_served(site, load)
        site.server.signal("SIGTERM")
        assert site.server.wait() == 0
    assert all(body.startswith("new connection: ") for _, _, body in load.failures), load.failures
    figures(load, failures=len(load.failures))
    assert (site.folder / "shut down").exists()
    assert all(map(is_gone, pids))


def test_sigint_ends_the_groups_at_once_and_their_applications_are_told(site):
    pids = site.processes().values()
    site.server.signal("SIGINT")
    assert site.server.wait() == 0
    assert (site.folder / "shut down").exists()
    assert all(map(is_gone, pids))


def test_a_second_master_has_groups_of_its_own(site, figures):
    before = site.processes()
    with site.server.load(PATHS) as load:
        site.write_all(2)
        site.server.signal("SIGUSR2")
        second = site.folder / "pid.2"
        site.server.until(lambda: second.exists() and second.read_text(), "a second pid file")
        pid = int(second.read_text())
        site.server.until(lambda: site.get("/old").text == "old 2", "an answer of the new group")
        site.server.signal("SIGTERM")
        assert site.server.wait() == 0
        site.server.until(lambda: (site.folder / "pid").read_text() == f"{pid}\n", "the promotion")
        until_served(site, load)
    figures(load)
    after = site.processes()
    assert not set(before.values()) & set(after.values())
    assert [site.get(path).text for path in PATHS] == ["front 2", "old 2", "new 2"]
    os.kill(pid, signal.SIGTERM)
    site.server.until(lambda: all(map(is_gone, (pid, *after.values()))), "the end of all processes")


def test_the_log_of_the_front_is_that_of_the_groups(start, tmp_path):
    site = Site(tmp_path, start, TOML + 'errorlog = "all.log"\n')
    log = (tmp_path / "all.log").read_text()
    assert log.count("Booting worker with pid") == 4
    pids = [pid for group in site.status()["groups"] for pid in (group["process"]["pid"],)]
    assert all(f"[{pid}] [INFO] Using worker" in log for pid in pids)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone may become another user")
def test_the_workers_in_front_may_be_another_user(start, tmp_path):
    try:
        nobody = pwd.getpwnam("nobody").pw_uid
    except KeyError:
        pytest.skip("there is no user nobody")
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    site = Site(tmp_path, start, TOML + 'user = "nobody"\n')
    assert [site.get(path).text for path in PATHS] == ["front 1", "old 1", "new 1"]
    status = site.status()
    users = [
        Path(f"/proc/{each['pid']}").stat().st_uid for each in (*status["workers"], status["groups"][0]["process"])
    ]
    assert users == [nobody, 0]


def test_a_worker_class_that_cannot_serve_the_mounts_refuses_the_start(start, tmp_path):
    (tmp_path / "new.py").write_text(ASGI)
    table = '[groups.new.gunicorn]\nworker_class = "gthread"'
    (tmp_path / "multiserve.toml").write_text(f'[mounts]\n"/new" = {{ app = "new", group = "new" }}\n{table}\n')
    server = start("run", "--production", "--port", "0", cwd=tmp_path)
    assert server.wait() == 1
    assert server.log[server.log.index("Error: ") :] == (
        f"Error: {tmp_path / 'multiserve.toml'}:\n"
        "groups.new.gunicorn.worker_class: this worker cannot serve the ASGI applications among the mounts\n"
        "    Leave worker_class out, or name one for ASGI, such as uvicorn_worker.UvicornWorker.\n"
    )
    server.until(lambda: not server.members(), "the end of all processes")


def test_the_groups_end_when_the_parent_is_killed(site):
    pids = [site.server.pid, *site.processes().values()]
    pids += [worker["pid"] for group in site.status()["groups"] for worker in group["workers"]]
    site.server.signal("SIGKILL")
    site.server.until(lambda: all(map(is_gone, pids)), "the end of all processes")


def test_the_groups_end_within_their_time_whatever_their_applications_do(start, tmp_path):
    site = Site(tmp_path, start)
    pids = [*site.processes().values()]
    client = site.server.client()
    with contextlib.closing(client):
        host, port = client.address
        with socket.create_connection((host, port), timeout=30) as connection:
            connection.sendall(b"GET /old/wait HTTP/1.1\r\nHost: x\r\n\r\n")
            site.server.until((tmp_path / "waiting").exists, "the long request")
            began = time.monotonic()
            site.server.signal("SIGTERM")
            assert site.server.wait() == 0
            assert time.monotonic() - began < 20
    assert all(map(is_gone, pids))
