"""Groups in development: a save restarts the process that it concerns, and what happens to one concerns no other."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
import venv
from pathlib import Path

import pytest
from websockets.sync.client import connect

SOCKETS = """\
import os

async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": str(os.getpid())})
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"two @version@ by {os.getpid()}".encode()})
"""
FAILING = """\
from flask import Flask

app = Flask(__name__)
secret = 41

@app.get("/")
def home():
    return "fine"

@app.get("/fail")
def fail():
    answer = secret + 1
    raise ValueError(f"the answer is {answer}")
"""
TOML = """\
[mounts]
"/" = "front"
"/one" = { app = "one", group = "one" }
"/two" = { app = "two", group = "two" }
[groups.one]
[groups.two]
"""
WHERE = """\
import json, os

def application(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps([os.getcwd(), os.environ.get("WHERE"), os.environ.get("KEPT")]).encode()]
"""
PREFIX = """\
import sys

def application(environ, start_response):
    start_response("200 OK", [])
    return [f"@version@ in {sys.prefix}".encode()]
"""


@pytest.fixture
def three(write, hello):
    write("front.py", hello("front"))
    write("one.py", hello("one"))
    write("two.py", SOCKETS.replace("@version@", "1"))
    write("multiserve.toml", TOML)


@pytest.fixture
def short_folder():
    """Give a folder for temporary files whose path leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def process_of(server, path):
    return int(server.get(path).text.rpartition(" ")[2])


def processes_of(server, *paths):
    return [process_of(server, path) for path in paths]


def until_answered(server, path, text):
    server.until(lambda: server.get(path).text.startswith(text), f"{text} at {path}")


def is_gone(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_a_save_restarts_the_process_that_it_concerns_and_no_other(run, three, write, hello):
    server = run().ready()
    front, one, two = processes_of(server, "/", "/one", "/two")
    assert len({server.pid, front, one, two}) == 4
    with connect(f"ws://{server.address}/two/", proxy=None) as websocket:
        write("one.py", hello("edited"))
        until_answered(server, "/one", "edited /one by")
        write("front.py", hello("another"))
        until_answered(server, "/", "another / by")
        assert process_of(server, "/one") != one
    with connect(f"ws://{server.address}/two/", proxy=None) as websocket:
        write("one.py", hello("again"))
        until_answered(server, "/one", "again /one by")
        websocket.send("who?")
        assert websocket.recv(20) == str(two)
    assert process_of(server, "/two") == two
    write("two.py", SOCKETS.replace("@version@", "2"))
    before = process_of(server, "/one")
    until_answered(server, "/two", "two 2")
    assert process_of(server, "/one") == before
    assert f"Detected change in '{Path(server.log_path).parent}" not in server.log
    server.until_logged(" * /two was reloaded")


def test_a_module_that_two_processes_have_imported_restarts_both(run, three, write, hello):
    write("shared.py", "name = 'before'\n")
    for name in ("front", "one"):
        write(f"{name}.py", f"import shared\n{hello('@').replace('@', f'{name} {{shared.name}}')}")
    server = run().ready()
    assert server.get("/one").text.startswith("one before")
    two = process_of(server, "/two")
    write("shared.py", "name = 'after'\n")
    until_answered(server, "/one", "one after")
    until_answered(server, "/", "front after")
    assert process_of(server, "/two") == two


def test_a_broken_application_shows_its_traceback_on_its_mount_alone_until_it_is_mended(run, three, write, hello):
    server = run().ready()
    front, two = processes_of(server, "/", "/two")
    write("one.py", "def application(:\n")
    server.until(lambda: server.get("/one").status == 503, "the failure")
    assert "SyntaxError" in server.get("/one").text
    server.until_logged(" * /one FAILED")
    assert 'mounts."/one"' in server.log
    write("one.py", "import helper\n" + hello("mended"))
    server.until(lambda: "No module named 'helper'" in server.get("/one").text, "another failure")
    write("helper.py", "")
    until_answered(server, "/one", "mended")
    assert processes_of(server, "/", "/two") == [front, two]


def test_a_failure_is_in_the_banner(run, three, write):
    write("one.py", "1 / 0\n")
    server = run().ready()
    assert re.search(r"^  /one +one \(one\) +FAILED$", server.log, re.MULTILINE)
    assert re.search(rf"^  /two +two \(two\) +{server.origin}/two/$", server.log, re.MULTILINE)
    assert server.log.count("ZeroDivisionError: division by zero") == server.log.count("Traceback") + 1 == 2


def test_a_process_that_ends_by_itself_is_started_again_after_a_change(run, three, write, hello):
    write("one.py", f"import os\n{hello('one')}\n    os._exit(7)\n".replace("    where", "    os._exit(7)\n    where"))
    server = run().ready()
    front = process_of(server, "/")
    assert server.get("/one").status in (502, 503)  # whether that is known already or not
    ended = "The process of the group one has ended with exit code 7: waiting for a change."
    server.until_logged(ended)
    answer = server.get("/one")
    assert (answer.status, answer.text) == (
        503,
        (
            "Service Unavailable: the process of the group one, which serves /one, is down.\n\n"
            "The process has ended with exit code 7. The terminal may say why.\n"
        ),
    )
    write("one.py", hello("mended"))
    until_answered(server, "/one", "mended")
    assert process_of(server, "/") == front


def test_the_debugger_works_in_each_process_with_one_pin(run, three, write):
    for name in ("front", "one"):
        write(f"{name}.py", FAILING)
    server = run().ready()
    pin = re.search(r"Debugger PIN: ([\d-]+)", server.log)[1]
    browser = server.browser()
    for prefix in ("", "/one"):
        page = browser.get(f"{prefix}/fail")
        assert (page.status, "ValueError: the answer is 42" in page.text) == (500, True)
        secret = re.search(r'SECRET = "(\w+)"', page.text)[1]
        ask = f"{prefix}/fail?__debugger__=yes&s={secret}"
        if not prefix:
            assert json.loads(browser.get(f"{ask}&cmd=pinauth&pin={pin}").text) == {"auth": True, "exhausted": False}
        frame = re.findall(r'id="frame-(\d+)"', page.text)[-1]
        assert "83" in browser.get(f"{ask}&cmd=answer%2Bsecret&frm={frame}").text  # whoever has said it once


@pytest.mark.parametrize("arguments", [(), ("--no-reload",)], ids=["with the reloader", "without"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_the_parent_ends_all_processes(run, three, name, arguments):
    if (name, arguments) == ("SIGHUP", ("--no-reload",)):
        pytest.skip("that signal ends a single process at once, as it always did")
    server = run(*arguments).ready()
    sockets = {line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if "multiserve-" in line}
    processes = [server.pid, *processes_of(server, "/", "/one", "/two")]
    server.signal(name)
    server.wait()
    server.until(lambda: all(map(is_gone, processes)), "the end of all processes")
    left = {line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if "multiserve-" in line}
    assert len(sockets - left) >= 2


def test_an_interrupt_of_the_terminal_ends_all_processes(run, three):
    server = run().ready()
    os.killpg(server.pid, signal.SIGINT)
    server.wait()
    server.until(lambda: not server.members(), "the end of all processes")
    assert "Traceback" not in server.log
    assert "has ended" not in server.log


SLOW = "import time\n\nwhile True:\n    time.sleep(0.1)\n"


@pytest.mark.parametrize("arguments", [(), ("--no-reload",)], ids=["with the reloader", "without"])
@pytest.mark.parametrize("is_ready", [True, False], ids=["while it serves", "while it starts"])
def test_nothing_is_left_of_a_parent_that_is_killed(run, three, write, short_folder, arguments, is_ready):
    if not is_ready:
        for name in ("front", "one"):
            write(f"{name}.py", SLOW)
    server = run(*arguments, env={"TMPDIR": str(short_folder)})
    if is_ready:
        server.ready()
    else:
        server.until(lambda: len(server.members()) > 2, "the processes of the groups")
    server.signal("SIGKILL")
    server.wait()
    server.until(lambda: not server.members(), "the end of all processes")
    assert list(short_folder.iterdir()) == []


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_nothing_is_left_where_a_signal_comes_while_it_is_tried_what_can_be_loaded(
    run, three, write, short_folder, tmp_path, name
):
    write("front.py", f"from pathlib import Path\n\nPath('loads').touch()\n{SLOW}")
    write("multiserve.toml", f"[server]\nstrict = true\n{TOML}")
    server = run(env={"TMPDIR": str(short_folder)})
    server.until((tmp_path / "loads").exists, "the load")
    server.signal(name)
    server.wait()
    server.until(lambda: not server.members(), "the end of all processes")
    assert list(short_folder.iterdir()) == []


THREAD = "import threading, time\n\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n"


def test_a_thread_that_an_application_leaves_behind_keeps_no_process_from_starting_again(run, three, write, hello):
    for name in ("front", "one"):
        write(f"{name}.py", THREAD + hello(name))
    server = run().ready()
    for name, path in (("front", "/"), ("one", "/one")):
        write(f"{name}.py", hello(f"another {name}"))
        until_answered(server, path, f"another {name}")


def test_groups_come_and_go_and_change_with_the_file(run, three, write, hello):
    server = run().ready()
    one, two = processes_of(server, "/one", "/two")
    write("three.py", WHERE)
    file = TOML.replace('"/two" = { app = "two", group = "two" }', '"/three" = { app = "three", group = "three" }')
    file = file.replace("[groups.two]", '[groups.three.env]\nWHERE = "there"')
    write("multiserve.toml", file)
    server.until(lambda: '"there"' in server.get("/three").text, "the new group")
    server.until(lambda: is_gone(two), "the end of the group that went")
    assert process_of(server, "/one") == one
    write("multiserve.toml", file.replace('"there"', '"elsewhere"'))
    server.until(lambda: "elsewhere" in server.get("/three").text, "the new variable")
    assert process_of(server, "/one") == one
    write("multiserve.toml", '[mounts]\n"/" = "one"\n')
    until_answered(server, "/one", "one /one by")
    server.until(lambda: is_gone(one), "the end of the last group")


def test_each_process_has_its_own_surroundings(run, three, write, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    write("front.py", WHERE)
    write("one.py", "import extra\n" + WHERE)
    write("elsewhere/extra.py", "")
    write(
        "multiserve.toml",
        f'{TOML}[groups.one.env]\nWHERE = "in the group"\n[env]\nKEPT = "for all"\n'.replace(
            "[groups.one]\n", '[groups.one]\ndirectory = "elsewhere"\npythonpath = ["elsewhere"]\n'
        ),
    )
    server = run().ready()
    assert json.loads(server.get("/").text) == [str(tmp_path), None, "for all"]
    assert json.loads(server.get("/one").text) == [str(tmp_path / "elsewhere"), "in the group", "for all"]


def test_a_group_may_have_another_environment(run, three, write, tmp_path):
    venv.create(tmp_path / "other", symlinks=True)
    write("one.py", PREFIX.replace("@version@", "1"))
    write("multiserve.toml", TOML.replace("[groups.one]", '[groups.one]\npython = "other"'))
    server = run().ready()
    assert server.get("/one").text == f"1 in {tmp_path / 'other'}"
    write("one.py", PREFIX.replace("@version@", "2"))
    until_answered(server, "/one", "2 in")


def test_a_changed_env_file_restarts_what_it_concerns(run, three, write):
    pytest.importorskip("dotenv", reason=".env needs multiserve[dotenv]")
    write("one.py", WHERE)
    write(".env", "KEPT=before\n")
    server = run().ready()
    assert json.loads(server.get("/one").text)[2] == "before"
    write(".env", "KEPT=after\n")
    server.until(lambda: "after" in server.get("/one").text, "the new variable")


@pytest.mark.parametrize("isolate", [False, True])
def test_isolate_gives_each_application_a_process(run, three, write, hello, tmp_path, isolate):
    write("two.py", hello("two"))
    (tmp_path / "static").mkdir()
    (tmp_path / "fleet").mkdir()
    write("fleet/a.py", hello("a"))
    write(
        "multiserve.toml",
        '[mounts]\n"/" = "front"\n"/one" = "one"\n"/two" = "two"\n"/static" = { static = "static" }\n'
        f'"/fleet" = {{ fleet = "fleet" }}\n[development]\nisolate = {str(isolate).lower()}\n',
    )
    server = run().ready()
    before = processes_of(server, "/", "/one", "/two", "/fleet/a")
    assert len(set(before)) == (4 if isolate else 1)
    write("one.py", hello("edited"))
    until_answered(server, "/one", "edited")
    after = processes_of(server, "/", "/one", "/two", "/fleet/a")
    assert [one == other for one, other in zip(before, after, strict=True)] == [
        isolate, False, isolate, isolate,
    ]  # fmt: skip
    write("fleet/b.py", hello("b"))
    until_answered(server, "/fleet/b", "b /fleet/b")
    assert (processes_of(server, "/", "/one", "/two", "/fleet/a") == after) is True


def test_the_command_line_isolates_too(run, three, write):
    write("multiserve.toml", '[mounts]\n"/" = "front"\n"/one" = "one"\n')
    server = run("--isolate").ready()
    assert re.search(rf"^  /one +one +{server.origin}/one/$", server.log, re.MULTILINE)
    assert process_of(server, "/") != process_of(server, "/one")


def test_pages_load_again_once_a_group_has_been_reloaded(run, three, write, hello):
    write("one.py", hello("<p>one").replace("text/plain", "text/html"))
    server = run("--refresh").ready()

    def process():
        return server.get("/__multiserve__/refresh/process").text

    before = process()
    assert f'data-process="{before}"' in server.get("/one", Accept="text/html").text
    write("one.py", hello("<p>two").replace("text/plain", "text/html"))
    server.until(lambda: process() != before, "another name of what is served")
    assert server.get("/one").text.startswith("<p>two")


def test_a_required_mount_of_a_group_that_fails_keeps_the_server_from_starting(run, three, write):
    write("one.py", "1 / 0\n")
    write("multiserve.toml", TOML.replace('"one", group', '"one", required = true, group'))
    server = run()
    assert server.wait() == 3
    assert 'Error: mounts."/one"' in server.log
    assert "ZeroDivisionError" in server.log
    server.until(lambda: not server.members(), "the end of all processes")


def front_of(server):
    """Give the process ids of what is started by the command of the server itself."""
    found = set()
    for pid in server.members() - {server.pid}:
        with contextlib.suppress(OSError):
            if b"multiserve\0run\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


def test_a_save_while_the_process_in_front_starts_reaches_the_groups(run, three, write):
    write("two.py", WHERE)
    write("multiserve.toml", TOML)
    server = run().ready()
    before = front_of(server)
    write("multiserve.toml", f"{TOML}# a comment, which restarts the process in front alone\n")
    server.until(lambda: front_of(server) - before, "another process in front")
    write("multiserve.toml", TOML.replace("[groups.two]", '[groups.two.env]\nWHERE = "there"'))
    server.until(lambda: '"there"' in server.get("/two").text, "the new variable")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param(
            "multiserve.toml",
            f'{TOML}[groups.new]\npython = "gone"\n[mounts."/new"]\napp = "one"\ngroup = "new"\n',
            "groups.new.python: {folder}/gone does not exist",
            id="a new group without its environment",
        ),
        pytest.param(".env", "what is this\n", "this does not set an environment variable", id="a file of variables"),
    ],
)
def test_a_mistake_in_the_file_while_nothing_serves_is_waited_for(
    run, three, write, hello, tmp_path, name, text, message
):
    pytest.importorskip("dotenv", reason=".env needs multiserve[dotenv]")
    server = run().ready()
    write("front.py", "import os\n\nos._exit(7)\n")
    server.until_logged("has ended with exit code 7: waiting for a change.")
    write(name, text)
    server.until_logged(message.format(folder=tmp_path))
    server.until_logged("has ended with exit code 1: waiting for a change.")
    write("front.py", hello("mended"))
    write("multiserve.toml", TOML)
    write(".env", "")
    until_answered(server, "/", "mended")
    assert server.log.count("has ended with exit code 1: waiting for a change.") == 1


def test_an_environment_that_is_removed_ends_nothing(run, three, write, hello, tmp_path):
    venv.create(tmp_path / "other", symlinks=True)
    write("multiserve.toml", TOML.replace("[groups.one]", '[groups.one]\npython = "other"'))
    server = run().ready()
    write("front.py", "import os\n\nos._exit(7)\n")
    server.until_logged("has ended with exit code 7: waiting for a change.")
    shutil.rmtree(tmp_path / "other")
    write("front.py", hello("mended"))
    until_answered(server, "/", "mended")
    assert server.get("/one").text.startswith("one")
