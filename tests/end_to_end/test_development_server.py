"""`multiserve run`: it reloads, it debugs, it survives what is being edited, and it leaves no process behind."""

from __future__ import annotations

import json
import os
import re
import socket
from html import unescape

import pytest

FAILING = """\
from flask import Flask

secret = 41

def create_app():
    app = Flask(__name__)

    @app.get("/")
    def home():
        return "fine"

    @app.get("/fail")
    def fail():
        answer = secret + 1
        raise ValueError(f"the answer is {answer}")

    return app
"""


@pytest.fixture
def two(write, hello):
    write("one.py", hello("one"))
    write("two.py", hello("two"))
    write("multiserve.toml", '[mounts]\n"/" = "one"\n"/broken" = "broken"\n')
    write("broken.py", "1 / 0\n")


def answers(server, path, text):
    server.until(lambda: server.get(path).text.startswith(text), f"{text} at {path}")


def test_a_module_that_is_edited_is_loaded_anew(run, two, write, hello):
    server = run().ready()
    answers(server, "/x", "one /x by")
    write("one.py", hello("edited"))
    answers(server, "/x", "edited /x by")


def test_a_mount_that_is_added_to_the_file_appears(run, two, write):
    server = run().ready()
    assert server.get("/two").text.startswith("one /two")
    write("multiserve.toml", '[mounts]\n"/two" = "two"\n')
    answers(server, "/two/x", "two /two/x")
    assert server.get("/").status == 404
    asked = f"Asked for: {server.origin}/x?y=z"
    assert server.get("/x?y=z").text.endswith(f"{asked}\n\nThe mounts are:\n    /two  two  ok\n")
    page = server.get("/x?y=z", Accept="text/html").text
    assert f"<p>{asked}</p>" in page
    assert '<a href="/two/"><code>/two</code></a>' in page


def test_an_extra_file_that_is_edited_restarts_the_server(run, two, write):
    write("data/deep/words.txt", "old")
    write("multiserve.toml", '[mounts]\n"/" = "one"\n[development]\nextra_files = ["data/**/*.txt"]\n')
    server = run().ready()
    before = server.get("/").text
    write("data/deep/words.txt", "new")
    server.until(lambda: server.get("/").text != before, "another process")
    assert "Detected change in" in server.log


def test_a_server_that_reloads_goes_on_when_the_file_turns_it_off(run, two, write):
    server = run().ready()
    write("multiserve.toml", '[mounts]\n"/two" = "two"\n[development]\nreload = false\n')
    answers(server, "/two", "two /two")
    assert "cannot listen" not in server.log


def test_a_server_that_an_application_of_a_reloading_server_starts_is_its_own(run, two, write):
    write(
        "one.py",
        "import os, json\ndef app(e, s):\n    s('200 OK', [])\n    return [json.dumps(dict(os.environ)).encode()]\n",
    )
    environ = json.loads(run().ready().get("/").text)
    assert environ["WERKZEUG_RUN_MAIN"] == "true"
    server = run(env=environ).ready()
    assert server.get("/").status == 200


def test_applications_load_in_the_main_thread_as_in_production(run, two, write, hello):
    write("one.py", f"import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\n{hello('signals')}")
    answers(run().ready(), "/", "signals /")


def test_the_debugger_shows_an_exception_below_a_prefix_and_evaluates_in_its_frame(run, write):
    write("failing.py", FAILING)
    write("multiserve.toml", '[mounts]\n"/shop/flask" = "failing"\n')
    server = run("--no-reload", env={"WERKZEUG_DEBUG_PIN": "off"}).ready()
    page = server.get("/shop/flask/fail")
    assert page.status == 500
    assert "ValueError: the answer is 42" in page.text
    secret = re.search(r'SECRET = "(\w+)"', page.text)[1]
    frame = re.findall(r'id="frame-(\d+)"', page.text)[-1]
    query = f"__debugger__=yes&cmd=answer%2Bsecret&frm={frame}&s={secret}"
    console = server.get(f"/shop/flask/fail?{query}")
    assert (console.status, re.sub(r"<[^>]*>", "", unescape(console.text))) == (
        200,
        "&gt;&gt;&gt; answer+secret\n83".replace("&gt;", ">"),
    )
    assert server.get("/shop/flask/fail?__debugger__=yes&cmd=resource&f=style.css").status == 200
    # A page of another site that resolves to this machine reaches no console.
    assert server.get(f"/shop/flask/fail?{query}", Host="evil.test").status != 200
    server.get("/last")
    server.until_logged("GET /last")
    assert "__debugger__" not in server.log


def test_without_the_debugger_an_exception_is_a_plain_error(run, write):
    write("failing.py", FAILING)
    write("raising.py", "def app(environ, start_response):\n    raise ValueError('the answer is 42')\n")
    write("multiserve.toml", '[mounts]\n"/flask" = "failing"\n"/" = "raising"\n')
    server = run("--no-reload", "--no-debugger").ready()
    for path in ("/flask/fail", "/"):
        response = server.get(path)
        assert response.status == 500
        assert "answer" not in response.text
        assert "Internal Server Error" in response.text
    assert "ValueError: the answer is 42" in server.log


@pytest.mark.parametrize(
    ("arguments", "debugger"),
    [
        pytest.param((), False, id="off where others reach it"),
        pytest.param(("--debugger",), True, id="on when it is asked for by name"),
    ],
)
def test_the_debugger_on_an_address_that_others_reach(run, write, arguments, debugger):
    write("raising.py", "def app(environ, start_response):\n    raise ValueError('the answer is 42')\n")
    write("multiserve.toml", '[mounts]\n"/" = "raising"\n[server]\nhost = "0.0.0.0"\n')
    server = run("--no-reload", *arguments).ready()
    assert ("the answer is 42" in server.get("/").text) is debugger


def test_the_debugger_of_the_file_is_refused_on_an_address_that_others_reach(run, write, two):
    write("multiserve.toml", '[mounts]\n"/" = "one"\n[server]\nhost = "0.0.0.0"\n[development]\ndebugger = true\n')
    server = run()
    assert server.wait() == 1
    assert server.log == (
        "Error: development.debugger: the debugger runs any code for anyone who reaches 0.0.0.0\n"
        "    Say --debugger as well if you mean it, or --no-debugger, or listen on 127.0.0.1.\n"
    )


@pytest.mark.parametrize("arguments", [pytest.param((), id="reload"), pytest.param(("--no-reload",), id="no reload")])
def test_a_port_in_use_is_refused(run, two, arguments):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = run("--port", str(port), *arguments, port=False)
        assert server.wait() == 3
    assert server.log.endswith(
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "    Another program uses the port: stop it, or choose another one with --port or MULTISERVE_PORT.\n"
    )


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param("SIGINT", (), id="SIGINT"),
        pytest.param("SIGTERM", (), id="SIGTERM"),
        pytest.param("SIGINT", ("--no-reload",), id="SIGINT without reload"),
        pytest.param("SIGTERM", ("--no-reload",), id="SIGTERM without reload"),
    ],
)
def test_a_signal_ends_it_and_leaves_no_process(run, two, name, arguments):
    server = run(*arguments).ready()
    assert len(server.members()) == (1 if arguments else 2)
    before = server.log
    server.signal(name)
    assert server.wait() == 0
    server.until(lambda: not server.members(), "the end of all processes")
    assert "Traceback" not in server.log.removeprefix(before)


def test_ctrl_c_in_the_terminal_ends_it_quietly(run, two):
    server = run().ready()
    os.killpg(server.pid, 2)
    assert server.wait() == 0
    server.until(lambda: not server.members(), "the end of all processes")
    assert "Aborted" not in server.log


def test_both_ways_to_start_it_reload(run, two, write, hello, console_script):
    server = run(command=console_script).ready()
    write("one.py", hello("edited"))
    answers(server, "/", "edited /")


REFUSING = [
    pytest.param('"/" = "one"\n"/broken" = "broken"\n[server]\nstrict = true', (), id="strict in the file"),
    pytest.param('"/" = "one"\n"/broken" = "broken"', ("--strict",), id="strict on the command line"),
    pytest.param('"/" = "one"\n"/broken" = { app = "broken", required = true }', (), id="required"),
]


@pytest.mark.parametrize("server", ["", "--no-reload", "--production"])
@pytest.mark.parametrize(("mounts", "arguments"), REFUSING)
def test_a_failure_that_must_not_be_served_around_refuses_to_start(
    run, two, write, tmp_path, mounts, arguments, server
):
    path = write("multiserve.toml", f"[mounts]\n{mounts}\n")
    server = run(*arguments, *([server] if server else []))
    assert server.wait() == 3
    assert server.log == (
        'Error: mounts."/broken": importing "broken" failed: '
        f"ZeroDivisionError: division by zero ({path.parent / 'broken.py'}, line 1)\n"
        "    1 | 1 / 0\n"
    )


def test_an_application_that_ends_the_process_while_it_loads_is_told_from_one_that_raises(run, two, write):
    write("broken.py", "import os\nos._exit(7)\n")
    server = run("--strict")
    assert server.wait() == 3
    assert server.log == "Error: the process that loaded the applications ended by itself, with exit code 7\n"


def test_a_mount_is_mended_by_a_file_that_appears(run, write, hello, tmp_path):
    write("multiserve.toml", '[mounts]\n"/" = "one"\n"/later" = "later"\n')
    write("one.py", hello("one"))
    server = run().ready()
    assert server.get("/later").status == 503
    (tmp_path / "later.py").write_text(hello("later"), "utf-8")
    answers(server, "/later", "later /later")


def test_host_and_port_stay_and_so_does_the_debugger(run, write, hello):
    write("one.py", hello("one"))
    write("multiserve.toml", '[mounts]\n"/" = "one"\n[server]\nhost = "0.0.0.0"\n')
    server = run().ready()
    write("multiserve.toml", '[mounts]\n"/" = "one"\n"/two" = "one"\n[server]\nhost = "127.0.0.1"\nport = 1\n')
    server.until(lambda: "2 mounts" in server.log, "the new file")
    assert "Host and port stay 0.0.0.0:" in server.log
    assert "Debugger PIN" not in server.log


ASGI = """\
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
"""
LINES = re.compile(r"^[\d:]{8}  (\d+) +\d+ ms  (.*)$", re.MULTILINE)


@pytest.mark.parametrize("reload", [(), ("--no-reload",)], ids=["reload", "no reload"])
@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_the_terminal_shows_mounts_pin_and_each_request(run, write, hello, tmp_path, kind, reload):
    write("one.py", hello("one") if kind == "wsgi" else ASGI)
    write("multiserve.toml", '[mounts]\n"/one" = "one"\n')
    server = run(*reload, env={"WERKZEUG_DEBUG_PIN": "12-34"}).ready()
    server.get("/one/x?y=z")
    server.until(lambda: len(LINES.findall(server.log)) == 2, "two lines")
    assert server.log.startswith(
        f"multiserve: 1 mount from {tmp_path / 'multiserve.toml'}\n  /one  one  {server.origin}/one/\n"
        "Debugger PIN: 12-34\nPress CTRL+C to quit\n"
    )
    assert LINES.findall(server.log) == [("404", "GET /  (no mount)"), ("200", "GET /one/x?y=z  (/one)")]


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_quiet_server_prints_no_line_for_a_request(run, write, hello, kind):
    write("one.py", hello("one") if kind == "wsgi" else ASGI)
    write("multiserve.toml", '[mounts]\n"/" = "one"\n')
    server = run("-q", "--no-reload", "--no-debugger").ready()
    before = server.log
    assert server.get("/x").status == 200
    server.signal("SIGINT")
    assert server.wait() == 0
    assert server.log == before


@pytest.mark.parametrize("mode", ["--reload", "--no-reload", "--production"])
def test_a_verbose_server_says_how_long_each_mount_took_to_load(run, two, mode):
    server = run("-v", mode).ready()
    assert re.search(r"^/  one: \d+\.\d\d s to load$", server.log, re.MULTILINE)


def test_variables_of_a_file_count_unless_they_are_set_and_a_change_restarts(run, write):
    write("one.py", "import os\ndef app(e, s):\n    s('200 OK', [])\n    return [os.environ['SHOP'].encode()]\n")
    write("multiserve.toml", '[mounts]\n"/${PLACE}" = "one"\n[env]\nSHOP = "table"\n')
    write(".env", "PLACE=first\nSHOP=file\n")
    server = run().ready()
    answers(server, "/first", "file")
    write(".env", "PLACE=second\n")
    answers(server, "/second", "table")
    write("other.env", "PLACE=third\nSHOP=other\n")
    server = run("--env-file", "other.env", "--no-reload", env={"SHOP": "process"}).ready()
    answers(server, "/third", "process")


def test_the_browser_opens_once_when_the_server_is_ready(run, two, write, hello, tmp_path):
    browser = write("browser", f"#!/bin/sh\necho $1 >> {tmp_path}/opened\n")
    browser.chmod(0o755)
    server = run("--open", env={"BROWSER": str(browser)}).ready()
    server.until((tmp_path / "opened").read_text, "the browser")
    write("one.py", hello("edited"))
    answers(server, "/", "edited /")
    assert (tmp_path / "opened").read_text() == f"{server.origin}/\n"


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_page_that_waits_for_its_mount_leaves_no_line(run, write, hello, kind):
    write("one.py", hello("one") if kind == "wsgi" else ASGI)
    write("multiserve.toml", '[mounts]\n"/one" = "one"\n"/broken" = "broken"\n')
    write("broken.py", "1 / 0\n")
    server = run().ready()
    page = server.get("/broken/", Accept="text/html")
    assert (page.status, page.text.count("<script>")) == (503, 1)
    name = re.search(r'"(X-[\w-]+)"', page.text)[1]
    assert server.get("/broken/waits", **{name: "1"}).status == 503
    assert server.get("/nothing", **{name: "1"}).status == 404
    server.until(lambda: len(LINES.findall(server.log)) > 2, "three lines")
    assert [line for _, line in LINES.findall(server.log)] == [
        "GET /  (no mount)", "GET /broken/  (/broken)", "GET /nothing  (no mount)",
    ]  # fmt: skip


def test_a_static_folder_that_appears_answers_without_a_restart(run, write, hello):
    write("one.py", hello("one"))
    write("multiserve.toml", '[mounts]\n"/" = "one"\n"/built" = { static = "built" }\n')
    server = run().ready()
    before = server.get("/").text
    assert server.get("/built/a.txt").status == 503
    write("built/a.txt", "here")
    answers(server, "/built/a.txt", "here")
    assert server.get("/").text == before


def test_a_server_whose_mounts_have_all_failed_says_where_it_listens(run, write):
    write("multiserve.toml", '[mounts]\n"/" = "broken"\n')
    server = run().ready()
    assert f"\n  /  broken  FAILED\nListening at {server.origin}/\n" in server.log
    assert server.get("/").status == 503
