"""`multiserve run --production`: gunicorn's settings and signals, and what must not start."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
from pathlib import Path

import pytest

SETTINGS = """\
[mounts]
"/" = "one"
"/two" = "two"
"app.localhost/three" = "two"

[gunicorn]
workers = 3
accesslog = "logs/access.log"
errorlog = "-"
pidfile = "run/server.pid"
proxy_allow_ips = ["10.0.0.1", "127.0.0.1"]
limit_request_line = 200
post_worker_init = "hooks.started"
"""


@pytest.fixture
def produce(run):
    return lambda *arguments, **options: run("--production", *arguments, **options)


@pytest.fixture
def mounts(write, hello):
    """Write the applications, and a file with the given mounts and settings."""
    write("one.py", hello("one"))
    write("two.py", hello("two"))
    write("hooks.py", "def started(worker):\n    worker.log.info('the hook ran')\n")
    write("broken.py", "1 / 0\n")

    def mounts(settings="workers = 1", **targets):
        lines = [f'"/{name.removeprefix("root")}" = {target!r}' for name, target in targets.items()]
        return write("multiserve.toml", "\n".join(["[mounts]", *lines, "[gunicorn]", settings, ""]))

    mounts(root="one")
    return mounts


def workers(server):
    return {re.search(r"by (\d+)$", server.get("/").text)[1] for _ in range(30)}


def answers(server, path, text):
    server.until(lambda: server.get(path).text.startswith(text), f"{text} at {path}")


def settled(server, count):
    """Wait until master and workers are as many as they should be."""
    server.until(lambda: len(server.members()) == count + 1, f"{count} workers")


def test_the_settings_of_the_file_take_effect(produce, mounts, write, tmp_path):
    write("multiserve.toml", SETTINGS)
    for folder in ("logs", "run"):
        (tmp_path / folder).mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    server = produce("-c", "../multiserve.toml", cwd=elsewhere).ready()
    settled(server, 3)
    assert (tmp_path / "run" / "server.pid").read_text() == f"{server.pid}\n"
    server.until_logged("the hook ran", 3)
    assert server.get("/two/x?q=1", **{"User-Agent": "test"}).status == 200
    assert server.get("/three", Host="app.localhost").status == 200
    assert server.get("/" + "a" * 300).status == 414
    server.signal("SIGTERM")
    assert server.wait() == 0
    log = re.sub(r"\[[^]]*\]", "[time]", (tmp_path / "logs" / "access.log").read_text())
    size = r'200 \d+ "-" '
    assert re.search(rf'^127.0.0.1 - - \[time\] "GET /two/x\?q=1 HTTP/1.1" {size}"test" "/two"$', log, re.MULTILINE)
    assert re.search(rf'"GET /three HTTP/1.1" {size}"-" "app.localhost/three"$', log, re.MULTILINE)
    assert not (tmp_path / "run" / "server.pid").exists()
    assert list(elsewhere.iterdir()) == []


def test_the_command_line_wins_over_the_file(produce, mounts):
    mounts("workers = 3\nthreads = 2", root="one")
    server = produce("--workers", "1", "--threads", "1").ready()
    settled(server, 1)
    assert len(workers(server)) == 1


def test_a_script_name_header_moves_nothing(produce, mounts):
    mounts(root="one", two="two")
    server = produce().ready()
    for path in ("/two/x", "/x"):
        expected = server.get(path).text
        assert server.get(path, SCRIPT_NAME="/two", PATH_INFO="/two/y").text == expected
        assert server.get(path, **{"Script-Name": "/two"}).text == expected


def test_sighup_reads_the_file_again(produce, mounts):
    server = produce().ready()
    before = workers(server)
    assert server.get("/two").text.startswith("one /two")
    mounts("workers = 2", root="one", two="two")
    server.signal("SIGHUP")
    answers(server, "/two", "two /two")
    settled(server, 2)
    server.until(lambda: not workers(server) & before, "new workers")


NOTHING_BETTER = {
    "multiserve.toml:4:10: not TOML: there is no value behind the =": ("workers =", "one"),
    'gunicorn.worker: gunicorn has no such setting\n    Did you mean "workers"?': ("worker = 1", "one"),
    'mounts."/": importing "broken" failed: ZeroDivision': ("workers = 1", "broken"),
    "ended before it could serve": ("workers = 1", "leaving"),
}


def test_sighup_with_nothing_better_keeps_serving_and_says_why(produce, mounts, write):
    write("leaving.py", "import os\nos._exit(7)\n")
    server = produce().ready()
    for number, (reason, (settings, target)) in enumerate(NOTHING_BETTER.items()):
        before = workers(server)
        mounts(settings, root=target)
        server.signal("SIGHUP")
        server.until_logged("The workers stay as they were:\n", number + 1)
        assert reason in server.log.rpartition("The workers stay as they were:\n")[2]
        assert workers(server) == before
        mended = ("two", "one")[number % 2]
        mounts(root=mended)
        server.signal("SIGHUP")
        answers(server, "/", f"{mended} /")
        settled(server, 1)


def test_sighup_with_an_address_in_use_keeps_serving(produce, mounts):
    with address_in_use() as free:
        pass
    mounts(f'workers = 1\nbind = "{free}"', root="one")
    server = produce(port=False).ready()
    with address_in_use() as address:
        mounts(f'workers = 2\nbind = "{address}"', root="two")
        server.signal("SIGHUP")
        server.until_logged(f"The workers stay as they were:\ncannot listen on {address}: Address already in use")
        assert server.get("/").text.startswith("one /")
    server.signal("SIGHUP")
    server.until_logged(f"Listening at: http://{address}")
    server.address = address
    answers(server, "/", "two /")
    settled(server, 2)
    host, _, port = free.partition(":")
    with pytest.raises(ConnectionRefusedError):  # no worker has inherited it
        socket.create_connection((host, int(port)), timeout=5)
    mounts(f'workers = 1\nbind = "{free}"', root="one")
    server.signal("SIGHUP")
    server.until_logged(f"Listening at: http://{free}", 2)
    server.address = free
    answers(server, "/", "one /")


def test_sighup_with_a_mount_that_worked_and_is_broken_now_is_refused(produce, mounts):
    mounts(root="one", two="two")
    server = produce().ready()
    mounts(root="two", two="broken")
    server.signal("SIGHUP")
    server.until_logged('The workers stay as they were:\nmounts."/two": importing "broken" failed: ZeroDivisionError')
    assert server.get("/").text.startswith("one /")
    assert server.get("/two").text.startswith("two /")


def test_sighup_with_a_new_mount_that_is_broken_serves_the_others(produce, mounts):
    server = produce().ready()
    for root in ("one", "two"):  # what is broken still is no reason to refuse
        mounts(root=root, two="broken")
        server.signal("SIGHUP")
        answers(server, "/", f"{root} /")
        server.until(lambda: server.get("/two").status == 503, "503 at /two")


SLOW = """
import asyncio, pathlib
from multiserve.dispatch import lifespan as patience

patience._ACKNOWLEDGE = 0.1
folder = pathlib.Path(__file__).parent

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        while not (folder / "go").exists():
            await asyncio.sleep(0.02)
        how = "failed" if (folder / "fail").exists() else "complete"
        await send({"type": f"lifespan.startup.{how}", "message": "no database"})
        await receive()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"slow"})
"""


def test_an_application_counts_for_a_reload_once_it_is_up(produce, mounts, write, tmp_path):
    write("slow.py", SLOW)
    mounts(root="one", slow="slow")
    server = produce().ready()
    server.signal("SIGHUP")
    server.until_logged("The new workers have taken over.")  # it does not wait for what nobody serves
    server.until_logged("Worker exiting")  # else the old one may answer
    (tmp_path / "go").touch()
    answers(server, "/slow", "slow")
    (tmp_path / "fail").touch()
    server.signal("SIGHUP")
    server.until_logged("The workers stay as they were:\n/slow: no database")


FAILING = """
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})
"""


@pytest.mark.parametrize("after", [("b", "a"), ("b",)], ids=["the lines are swapped", "the first line is taken out"])
def test_an_application_at_two_mounts_that_has_never_started_does_not_refuse_a_reload(
    produce, start, mounts, write, tmp_path, after
):
    write("failing.py", FAILING)
    settings = 'workers = 2\npidfile = "server.pid"'
    mounts(settings, root="one", a="failing", b="failing")
    server = produce().ready()
    server.until_logged("/a, /b: the start-up failed: no database", 2)
    outcome = "Process {} has reloaded; it answers 503 for {}: see its log.\n"
    told = start("reload", cwd=tmp_path)
    assert (told.wait(), told.log) == (0, outcome.format(server.pid, "/a, /b"))
    mounts(settings, root="one", **dict.fromkeys(after, "failing"))
    told = start("reload", cwd=tmp_path)
    assert (told.wait(), told.log) == (0, outcome.format(server.pid, ", ".join(f"/{name}" for name in after)))
    assert server.get("/").status == 200
    assert server.get("/b").status == 503


def test_sighup_applies_the_file_to_preloaded_applications(produce, mounts):
    mounts("preload_app = true", root="one")
    server = produce("--workers", "1").ready()
    answers(server, "/x", "one /x")
    mounts("preload_app = true", root="one", two="two")
    server.signal("SIGHUP")
    answers(server, "/two", "two /two")
    server.until_logged("preload_app: what the master has imported stays as it is.")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_a_signal_ends_it_and_leaves_no_process(produce, mounts, name):
    server = produce().ready()
    server.signal(name)
    assert server.wait() == 0
    assert server.members() == set()
    assert "Shutting down: Master" in server.log


def test_sigterm_lets_a_request_end(produce, mounts, write, tmp_path):
    write(
        "one.py",
        "import pathlib, time\n"
        "folder = pathlib.Path(__file__).parent\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    if environ['PATH_INFO'] == '/wait':\n"
        "        (folder / 'waiting').touch()\n"
        "        while not (folder / 'go').exists():\n"
        "            time.sleep(0.01)\n"
        "    return [b'done']\n",
    )
    server = produce().ready()
    found = []
    thread = threading.Thread(target=lambda: found.append(server.get("/wait").text))
    thread.start()
    server.until((tmp_path / "waiting").exists, "the request")
    server.signal("SIGTERM")
    server.until_logged("Handling signal: term")
    (tmp_path / "go").touch()
    thread.join(20)
    assert found == ["done"]
    assert server.wait() == 0


@pytest.mark.parametrize("way", ["python -m multiserve", "multiserve"])
def test_sigusr2_starts_the_command_anew(produce, mounts, tmp_path, console_script, way):
    mounts('chdir = "sub"\npidfile = "pid"', root="one")
    (tmp_path / "sub").mkdir()
    options = {"command": console_script} if way == "multiserve" else {}
    server = produce("--workers", "1", "-c", "multiserve.toml", **options).ready()
    mounts('chdir = "sub"\npidfile = "pid"', root="two")
    server.signal("SIGUSR2")
    server.until((tmp_path / "pid.2").exists, "a second pid file")
    second = int((tmp_path / "pid.2").read_text())
    answers(server, "/", "two /")
    server.signal("SIGTERM")
    assert server.wait() == 0
    answers(server, "/", "two /")
    server.until(lambda: (tmp_path / "pid").read_text() == f"{second}\n", "the promotion of the second master")
    os.kill(second, signal.SIGTERM)
    server.until(lambda: not server.members(), "the end of all processes")


def test_sigusr2_that_fails_changes_nothing(produce, mounts, tmp_path):
    mounts('workers = 1\npidfile = "pid"', root="one")
    (tmp_path / "gone").mkdir()
    server = produce("-c", "../multiserve.toml", cwd=tmp_path / "gone").ready()
    (tmp_path / "gone").rmdir()
    before = workers(server)
    server.signal("SIGUSR2")
    server.until_logged("A second master cannot be started.")
    settled(server, 1)
    assert workers(server) == before
    assert (tmp_path / "pid").read_text() == f"{server.pid}\n"


def test_sigttin_and_sigttou_change_the_number_of_workers(produce, mounts):
    server = produce().ready()
    settled(server, 1)
    server.signal("SIGTTIN")
    settled(server, 2)
    server.signal("SIGTTOU")
    settled(server, 1)


def test_a_worker_that_dies_is_replaced(produce, mounts):
    server = produce().ready()
    (before,) = workers(server)
    os.kill(int(before), signal.SIGKILL)
    server.until(lambda: workers(server) - {before}, "another worker")


def test_a_unix_socket_is_served(produce, mounts, write, tmp_path):
    server = produce("--bind", "unix:run.sock", "-c", "../multiserve.toml", port=False, cwd=write("sub/x", "").parent)
    path = tmp_path / "sub" / "run.sock"  # from the folder where the command was given, unlike paths in the file

    def ask():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b""))

    assert b"one /x by" in server.until(ask, "an answer")


def test_several_addresses_are_served(produce, mounts):
    mounts('workers = 1\nbind = ["127.0.0.1:0", "unix:site.sock"]', root="one")
    server = produce(port=False).ready()
    assert server.get("/").status == 200
    server.until_logged("site.sock")


def test_preloaded_applications_are_served(produce, mounts):
    mounts("preload_app = true\nworkers = 2", root="one", two="broken")
    server = produce().ready()
    assert server.get("/").text.startswith("one /")
    assert server.get("/two").status == 503


FORKS_SLOWLY = """
import os, pathlib, time

def starts(arbiter):
    os.register_at_fork(after_in_parent=pathlib.Path("forked").touch, after_in_child=lambda: time.sleep(2))
"""


def test_a_worker_that_has_just_been_forked_does_not_miss_the_end(produce, mounts, write, tmp_path):
    write("hooks.py", FORKS_SLOWLY)
    mounts('when_ready = "hooks.starts"\nworkers = 1\ngraceful_timeout = 60', root="one")
    server = produce()
    server.until((tmp_path / "forked").exists, "a fork")
    server.signal("SIGTERM")
    assert server.wait() == 0  # long before graceful_timeout
    assert server.members() == set()


def test_a_daemon_lets_the_command_return(produce, mounts, tmp_path):
    mounts('daemon = true\nworkers = 1\npidfile = "pid"\nbind = "unix:site.sock"\nerrorlog = "error.log"', root="one")
    server = produce(port=False)
    try:
        assert server.wait() == 0
        server.until((tmp_path / "site.sock").exists, "the socket")
    finally:
        pid = int(server.until((tmp_path / "pid").read_text, "the pid file"))
        os.kill(pid, signal.SIGTERM)
        server.until(lambda: not (tmp_path / "pid").exists(), "the end of the daemon")
    assert "Shutting down: Master" in (tmp_path / "error.log").read_text()


def test_a_broken_mount_answers_503_without_details_while_the_others_serve(produce, mounts):
    mounts(root="one", two="broken")
    server = produce().ready()
    response = server.get("/two/x")
    assert response.status == 503
    assert response.text == "Service Unavailable: the application at /two could not be loaded.\n"
    assert server.get("/").text.startswith("one /")
    assert '[ERROR] /two answers 503:\nmounts."/two": importing "broken" failed: ZeroDivisionError' in server.log
    assert re.search(r"^  /two  broken +FAILED$", server.log, re.MULTILINE)
    mounts(two="two")
    server.signal("SIGHUP")
    answers(server, "/two", "two /two")
    response = server.get("/")
    assert (response.status, response.text) == (404, "Not Found: no mount answers this URL.\n")


def test_nothing_but_broken_mounts_refuses_to_start(produce, mounts):
    mounts(root="broken")
    server = produce()
    assert server.wait() == 3
    assert server.log.startswith('Error: mounts."/": importing "broken" failed: ZeroDivisionError')
    assert "Listening" not in server.log
    assert server.members() == set()


def test_all_wrong_settings_are_told_at_once_and_nothing_is_bound(produce, mounts):
    path = mounts(
        'worker = 2\ntimeout = "30"\nkeepalive = true\nreload = true\nbind = "127.0.0.1:99999"\ncertfile = "nope.pem"',
        root="broken",
    )
    server = produce(port=False)
    assert server.wait() == 1
    assert server.log == (
        f"Error: {path}:\n"
        'gunicorn.worker: gunicorn has no such setting\n    Did you mean "workers"?\n'
        "gunicorn.timeout: expected a whole number, found a text\n"
        "gunicorn.keepalive: expected a whole number, found true or false\n"
        "gunicorn.reload: this setting makes no sense here\n"
        "    Run without --production to reload on changes; send SIGHUP to reload in production.\n"
        "gunicorn.bind: gunicorn refuses the value: 99999 is not a port\n"
        f"gunicorn.certfile: there is no file {path.parent / 'nope.pem'}\n"
        "    Paths are relative to the folder of the configuration.\n"
    )


@contextlib.contextmanager
def address_in_use():
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield f"127.0.0.1:{other.getsockname()[1]}"


@pytest.mark.parametrize(
    ("bind", "message"),
    [
        pytest.param(
            "IN_USE",
            "cannot listen on IN_USE: Address already in use\n"
            "    Another program uses the port: stop it, or choose another one with --port or MULTISERVE_PORT.",
            id="in use",
        ),
        pytest.param(
            "192.0.2.1:8000",
            "cannot listen on 192.0.2.1:8000: Cannot assign requested address\n"
            "    This machine has no such address: use 127.0.0.1, or 0.0.0.0 for every network.",
            id="not ours",
        ),
        pytest.param("unix:one.py", "cannot listen on unix:HERE/one.py: something else is there", id="no socket"),
    ],
)
def test_an_address_that_cannot_be_bound_is_refused(produce, mounts, tmp_path, bind, message):
    with address_in_use() as address:
        server = produce("--bind", bind.replace("IN_USE", address), port=False)
        assert server.wait() == 3
    assert server.log == f"Error: {message}\n".replace("IN_USE", address).replace("HERE", str(tmp_path))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param("logconfig_dict = { version = 3 }", "Unsupported version: 3", id="log configuration"),
        pytest.param('bind = "fd://999"', "[Errno 9] Bad file descriptor", id="descriptor"),
    ],
)
def test_what_gunicorn_stumbles_over_is_an_error_without_a_traceback(produce, mounts, tmp_path, settings, message):
    mounts(settings, root="one")
    server = produce(port="fd:" not in settings)
    assert server.wait() == 3
    assert server.log.splitlines()[-1] == f"Error: gunicorn cannot start: {message}"
    assert "Traceback" not in server.log


def test_a_second_server_with_the_same_pid_file_does_not_start(produce, mounts, tmp_path):
    mounts('workers = 1\npidfile = "pid"', root="one")
    first, second = produce().ready(), produce()
    assert second.wait() == 3
    running = f"Already running on PID {first.pid} (or pid file '{tmp_path / 'pid'}' is stale)"
    assert second.log.splitlines()[-1] == f"Error: gunicorn cannot start: {running}"
    assert (tmp_path / "pid").read_text() == f"{first.pid}\n"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_a_pid_file_whose_number_another_process_has_now_keeps_no_server_from_starting(produce, mounts, tmp_path):
    mounts('workers = 1\npidfile = "pid"', root="one")
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")  # as it comes again and again in a container
    server = produce().ready()
    assert (tmp_path / "pid").read_text() == f"{server.pid}\n"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("WEB_CONCURRENCY", "many", "not a number of workers: invalid literal for int() with base 10: 'many'"),
        ("WEB_CONCURRENCY", "0", "0 is too small: at least 1"),
    ],
)
def test_an_environment_variable_of_gunicorn_that_is_wrong_is_an_error(produce, mounts, name, value, message):
    server = produce(env={name: value})
    assert server.wait() == 1
    assert server.log.splitlines()[-1].removeprefix("Error: ") == f"{name}: {message}"


def test_a_platform_says_in_port_where_to_listen(produce, mounts):
    mounts('workers = 1\nbind = "127.0.0.1:1"', root="one")  # a port that is for root alone
    assert produce(env={"PORT": "0"}, port=False).ready().get("/").text.startswith("one")


def test_web_concurrency_is_the_number_of_workers(produce, mounts):
    mounts("", root="one")
    settled(produce(env={"WEB_CONCURRENCY": "2"}).ready(), 2)


def test_a_worker_that_dies_after_a_refused_reload_is_replaced_by_none_that_serves_less(produce, mounts, write):
    mounts("workers = 2", root="one")
    server = produce().ready()
    server.until(lambda: len(workers(server)) == 2, "two workers")
    victim = int(min(workers(server)))
    write("one.py", "1 / 0\n")
    server.signal("SIGHUP")
    server.until(lambda: "The workers stay as they were" in server.log, "the refusal")
    os.kill(victim, signal.SIGKILL)
    server.until_logged('could not serve what the others do. Another one starts in 1 s.\nmounts."/": importing')
    assert len(workers(server)) == 1
    (survivor,) = workers(server)
    os.kill(int(survivor), signal.SIGKILL)
    server.until_logged("/ answers 503")  # nobody else is left: what there is, is served
    assert server.get("/").status == 503


def test_env_is_set_before_a_hook_imports_an_application_and_follows_the_file(produce, write):
    write("web.py", "import os\ncolour = os.environ['COLOUR']\n\ndef hook(server, worker): pass\n" + ANSWER_COLOUR)
    toml = '[env]\nCOLOUR = "{}"\n[mounts]\n"/" = "web:application"\n[gunicorn]\nworkers = 1\npreload_app = {}\n{}'
    write("multiserve.toml", toml.format("red", "false", 'post_fork = "web.hook"'))
    server = produce().ready()
    assert server.get("/").text == "red red"
    write("multiserve.toml", toml.format("blue", "false", 'post_fork = "web.hook"'))
    server.signal("SIGHUP")
    answers(server, "/", "red blue")  # the module stays imported where the hook was imported


ANSWER_COLOUR = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [f"{colour} {os.environ['COLOUR']}".encode()]
"""


LOADING = """\
import pathlib, time
print("loading", flush=True)
while not pathlib.Path("go").exists():
    time.sleep(0.01)
"""


@pytest.mark.parametrize("name", ["HUP", "USR1", "USR2", "WINCH", "TTIN", "TTOU"])
def test_a_signal_that_comes_while_the_applications_load_is_heeded_afterwards(run, write, hello, tmp_path, name):
    write("one.py", LOADING + hello("one"))
    write("multiserve.toml", '[mounts]\n"/" = "one"\n[gunicorn]\nworkers = 2\n')
    server = run("--production")
    server.until_logged("loading")
    server.signal(f"SIG{name}")
    (tmp_path / "go").touch()
    server.ready()
    server.until_logged(f"Handling signal: {name.lower()}")
    assert server.get("/").status == 200


def test_what_loads_the_applications_ends_with_the_server(run, write):
    write("one.py", LOADING)
    write("multiserve.toml", '[mounts]\n"/" = "one"\n')
    server = run("--production")
    server.until_logged("loading")
    assert len(server.members()) == 2
    server.signal("SIGKILL")
    server.until(lambda: not server.members(), "the end of all processes")
