"""`multiserve run` survives every bad edit, over WSGI and ASGI alike, and saving the repair is all that it takes."""

from __future__ import annotations

import re
import signal

import pytest

ASGI = """\
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"@name@"})
"""
BOTH = '[mounts]\n"/" = "one"\n"/edited" = "edited"\n'
BAD_EDITS = [
    ("def application(environ, start_response) return\n", "SyntaxError: "),
    ("import nothing_of_that_name\n", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
    ("1 / 0\n", "ZeroDivisionError: division by zero"),
    ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
]
TEMPORARY = ["4913", ".edited.py.swp", "edited.py~", ".#edited.py", "#edited.py#", "server.log", "shop.sqlite3"]


@pytest.fixture(params=["wsgi", "asgi"])
def source(request, hello):
    """Give the source of an application that answers with its name."""
    return hello if request.param == "wsgi" else lambda name: ASGI.replace("@name@", name)


@pytest.fixture
def server(run, write, hello, source):
    write("one.py", hello("one"))
    write("edited.py", source("edited"))
    write("multiserve.toml", BOTH)
    return run().ready()


def answers(server, path, text):
    server.until(lambda: text in server.get(path).text, f"{text} at {path}")


def changes(server):
    """Give the files for which the server started anew."""
    return re.findall(r"Detected change in '[^']*/([^/']+)'", server.log)


def test_every_bad_edit_of_a_module_shows_its_traceback_and_the_repair_brings_it_back(server, write, source, tmp_path):
    for text, shown in BAD_EDITS:
        write("edited.py", text)
        answers(server, "/edited", shown)
        response = server.get("/edited", Accept="text/html")
        assert (response.status, response.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
        assert server.get("/").text.startswith("one / by ")
        assert shown in server.log
    for name in TEMPORARY:
        (tmp_path / name).write_text("not for the reloader")
    write("edited.py", source("mended"))
    answers(server, "/edited", "mended")
    (tmp_path / "edited.py").unlink()
    answers(server, "/edited", 'there is no module "edited"')
    write("one.py", "1 / 0\n")  # nothing is left to serve
    answers(server, "/", "ZeroDivisionError")
    write("edited.py", source("back"))
    answers(server, "/edited", "back")
    assert set(changes(server)) == {"edited.py", "one.py"}


def test_a_module_that_ends_the_process_or_never_ends_is_waited_for(server, write, source):
    write("edited.py", "import os\nos._exit(0)\n")
    answers(server, "/", "Service Unavailable: the process that served has ended with exit code 0.\n")
    assert "The process that served has ended with exit code 0: waiting for a change.\n" in server.log
    write("edited.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    answers(server, "/", "Service Unavailable: the process that served was ended by SIGKILL.\n")
    with server.connect() as idle:  # such as a browser opens for later: it must not end at what only stands in
        assert idle.recv(1) == b""
    write("edited.py", "print('for ever', flush=True)\nwhile True: pass\n")
    server.until_logged("for ever")
    write("edited.py", source("mended"))
    answers(server, "/edited", "mended")
    assert server.get("/").text.startswith("one / by ")


def test_a_wrong_file_keeps_the_last_good_mounts_and_tells_its_problems(server, write, source, tmp_path):
    before = server.get("/").text
    wrong = {
        '[mounts]\n/ = "one"\n': 'multiserve.toml:2:1: not TOML: a key with "/" in it is written in quotes',
        '[mounts]\n"/" = "one"\n[server]\nprot = 1\n': 'server.prot: no such key\n    Did you mean "port"?',
    }
    for text, problem in wrong.items():
        write("multiserve.toml", text)
        server.until_logged(problem)
    (tmp_path / "multiserve.toml").unlink()
    server.until_logged("multiserve.toml:\nno such file")
    write("edited.py", source("edited meanwhile"))
    assert server.get("/").text == before
    assert server.log.count("The mounts stay as they were until this is mended.") == 3
    assert changes(server) == []
    write("multiserve.toml", f'{BOTH}"/two" = "one"\n')
    answers(server, "/two", "one /two")
    answers(server, "/edited", "edited meanwhile")
    assert len(changes(server)) == 1


SHUTTING_DOWN = """\
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        print("started", flush=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("shut down", flush=True)
        await send({"type": "lifespan.shutdown.complete"})
"""
HANGUP_IS_IGNORED = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN  # as under nohup


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("SIGKILL", -9, id="killed"),
        pytest.param(
            "SIGHUP", 0, id="the terminal is closed", marks=pytest.mark.skipif(HANGUP_IS_IGNORED, reason="under nohup")
        ),
    ],
)
def test_without_the_supervising_process_the_one_that_serves_shuts_down(run, write, hello, name, code):
    write("one.py", hello("one"))
    write("life.py", SHUTTING_DOWN)
    write("multiserve.toml", '[mounts]\n"/" = "one"\n"/life" = "life"\n')
    server = run().ready()
    server.until_logged("started")
    server.signal(name)
    assert server.wait() == code
    server.until(lambda: not server.members(), "the end of all processes")
    assert server.log.count("shut down\n") == 1


def test_without_the_supervising_process_a_module_that_loads_for_ever_ends(run, write, hello):
    write("one.py", "print('for ever', flush=True)\nwhile True: pass\n")
    write("multiserve.toml", '[mounts]\n"/" = "one"\n')
    server = run()
    server.until_logged("for ever")
    server.signal("SIGKILL")
    server.until(lambda: not server.members(), "the end of all processes")
