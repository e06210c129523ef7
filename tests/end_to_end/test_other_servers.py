"""The composition under servers that know nothing of multiserve, and under the validator of PEP 3333."""

from __future__ import annotations

import sys

import pytest

FILE = """\
[mounts]
"/"      = "validated"
"/a/b"   = "validated"
"/broken" = "nothing_here"
"""
VALIDATED = """\
from wsgiref.validate import validator

def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [repr((environ["SCRIPT_NAME"], environ["PATH_INFO"], body)).encode()]

application = validator(application)
"""
COMPOSED = """\
from wsgiref.validate import validator
from multiserve import create_app

application = validator(create_app("multiserve.toml"))
"""
WAITRESS = """\
import waitress, waitress.server
from {module} import application

server = waitress.create_server(application, listen="127.0.0.1:0")
print(f"http://127.0.0.1:{{server.effective_port}}/", flush=True)
server.run()
"""
GUNICORN = (sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket")


@pytest.fixture
def folder(write, tmp_path):
    write("site/multiserve.toml", FILE)
    write("site/validated.py", VALIDATED)
    write("site/composed.py", COMPOSED)
    return tmp_path / "site"


@pytest.fixture(params=["waitress", "gunicorn gthread", "gunicorn sync"])
def serve(request, start, folder, tmp_path):
    """Serve a module's application with another server, started elsewhere unless told otherwise."""

    def serve(module, cwd=tmp_path):
        env = {"MULTISERVE_CONFIG": str(folder / "multiserve.toml")}
        if request.param == "waitress":
            command, arguments = (sys.executable, "-c"), (WAITRESS.format(module=module),)
        else:
            command, arguments = GUNICORN, ("--worker-class", request.param.split()[1], f"{module}:application")
        server = start(*arguments, cwd=cwd, command=command, env=env)
        server.until_logged("127.0.0.1:")
        server.address = server.until(lambda: find_address(server.log), "an address")
        return server

    return serve


def find_address(log):
    import re

    found = re.search(r"http://(127\.0\.0\.1:[1-9]\d*)", log)
    return found and found[1]


REQUESTS = [
    ("/", "('', '/', b'')"),
    ("/a/b", "('/a/b', '', b'')"),
    ("/a/b/c", "('/a/b', '/c', b'')"),
    ("/a/bc", "('', '/a/bc', b'')"),
    ("/a/b/caf%C3%A9", "('/a/b', '/caf\xc3\xa9', b'')"),
]


def check(server):
    assert [server.get(path).text for path, _ in REQUESTS] == [text for _, text in REQUESTS]
    assert server.browser().request("POST", "/a/b/x", b"body").text == "('/a/b', '/x', b'body')"
    assert server.get("/broken").status == 503
    assert "Traceback" not in server.get("/broken").text
    assert "AssertionError" not in server.log
    assert "WSGIWarning" not in server.log


def test_the_module_global_is_served_by_any_server(serve):
    check(serve("multiserve.wsgi"))


def test_the_composition_conforms_around_conforming_applications(serve, folder):
    check(serve("composed", cwd=folder))


@pytest.mark.parametrize("mode", ["development", "production"])
def test_mounted_applications_conform_in_our_own_servers(run, folder, mode):
    check(run(*(["--production"] if mode == "production" else ["--no-reload"]), cwd=folder).ready())


@pytest.mark.parametrize("server", ["waitress", "gunicorn"])
def test_a_wsgi_server_is_told_why_it_cannot_serve_asgi_applications(start, folder, write, server):
    write("site/asgi.py", "async def app(scope, receive, send): ...\n")
    write("site/multiserve.toml", f'{FILE}"/live" = "asgi"\n')
    command, arguments = (
        ((sys.executable, "-c"), (WAITRESS.format(module="multiserve.wsgi"),))
        if server == "waitress"
        else (GUNICORN, ("multiserve.wsgi:application",))
    )
    env = {"MULTISERVE_CONFIG": str(folder / "multiserve.toml")}
    ended = start(*arguments, cwd=folder, command=command, env=env)
    assert ended.wait() != 0
    assert (
        'mounts."/live": "asgi" is an ASGI application, which a WSGI server cannot serve\n'
        "    Serve multiserve.asgi:application with an ASGI server instead; it serves the WSGI mounts, too.\n"
    ) in ended.log


def test_wsgi_applications_alone_are_served_by_an_asgi_server(start, folder):
    env = {"MULTISERVE_CONFIG": str(folder / "multiserve.toml")}
    command = (sys.executable, "-m", "uvicorn", "multiserve.asgi:application", "--port", "0")
    server = start(cwd=folder, command=command, env=env)
    server.address = server.until(lambda: find_address(server.log), "an address")
    check(server)
