"""The pid file: whom `multiserve reload` signals, what it waits for, and what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ConfigError, ServeError
from multiserve.servers.production import pid_file


@pytest.fixture
def hangups():
    """Take SIGHUP in this process, which stands in for the server."""
    received = threading.Event()
    before = signal.signal(signal.SIGHUP, lambda *_: received.set())
    yield received
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "pid"
    path.write_text(f"{os.getpid()}\n")
    return path


def answering(hangups, *records):
    """Write outcomes as a server does, once the signal has come."""

    def answer():
        hangups.wait(20)
        for record in records:
            pid_file.record(*record)

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_the_configuration_names_the_file_from_its_own_folder(write_config, tmp_path):
    config = load_config(write_config('[mounts]\n"/" = "a"\n[gunicorn]\npidfile = "run/server.pid"'))
    assert pid_file.named_in(config) == tmp_path / "run" / "server.pid"


def test_a_configuration_that_names_none_says_what_to_write(write_config):
    path = write_config('[mounts]\n"/" = "a"')
    with pytest.raises(ConfigError) as caught:
        pid_file.named_in(load_config(path))
    assert str(caught.value) == (
        f"{path}:\n"
        "gunicorn.pidfile: not set, so nothing tells which process to signal\n"
        '    Write pidfile = "multiserve.pid" under [gunicorn] and restart the server, or say --pid FILE.'
    )


def test_a_reload_that_is_taken_is_waited_for(path, hangups):
    pid_file.record(path, 4, "an earlier refusal")
    thread = answering(hangups, (path, 5, ""))
    assert pid_file.reload(path) == f"Process {os.getpid()} has reloaded."
    thread.join()


def test_a_reload_that_is_refused_says_why(path, hangups):
    pid_file.record(path, 0, "")
    thread = answering(hangups, (path, 1, 'it is refused:\nmounts."/": no'))
    with pytest.raises(ServeError) as caught:
        pid_file.reload(path)
    thread.join()
    assert str(caught.value) == 'it is refused:\nmounts."/": no'


def test_mounts_that_answer_503_since_are_named(path, hangups):
    pid_file.record(path, 0, "")
    thread = answering(hangups, (path, 1, "", ["/renamed", "/new"]))
    assert pid_file.reload(path) == (
        f"Process {os.getpid()} has reloaded; it answers 503 for /renamed, /new: see its log."
    )
    thread.join()


@pytest.mark.parametrize("command", [b"python\0-m\0multiserve\0run\0", b"gunicorn: master [shop]", b""])
def test_a_server_that_does_not_answer_is_signalled_all_the_same(path, hangups, tmp_path, monkeypatch, command):
    monkeypatch.setattr(pid_file, "_PROCESSES", tmp_path)
    (tmp_path / str(os.getpid())).mkdir()
    (tmp_path / str(os.getpid()) / "cmdline").write_bytes(command)
    assert pid_file.reload(path) == f"SIGHUP is sent to process {os.getpid()}; its log tells what becomes of it."
    assert hangups.is_set()


RECORD = """
import pathlib, sys
from multiserve.servers.production import pid_file

pid_file.record(pathlib.Path(sys.argv[1]), 0, "")
print(flush=True)
input()
"""


def test_a_server_that_ends_meanwhile_is_not_waited_for(path):
    command = [sys.executable, "-c", RECORD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        path.write_text(str(server.pid))
        server.stdout.readline()
        threading.Thread(target=server.wait).start()  # nobody is left who could be signalled
        with pytest.raises(ServeError, match=f"there is no process {server.pid}"):
            pid_file.reload(path)


def recorded_by_another_process(path):
    written = json.loads(path.with_name("pid.reload").read_text())
    path.with_name("pid.reload").write_text(json.dumps({**written, "pid": written["pid"] + 1}))


def recorded_by_an_earlier_process_of_the_same_number(path):
    written = json.loads(path.with_name("pid.reload").read_text())
    path.with_name("pid.reload").write_text(json.dumps({**written, "started": "1"}))


OF_ANOTHER_PROCESS = [
    recorded_by_another_process,
    recorded_by_an_earlier_process_of_the_same_number,
    pytest.param(pid_file.forget, id="nothing recorded, and the command is another one"),
]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("change", OF_ANOTHER_PROCESS)
def test_another_process_with_the_number_of_the_server_is_not_signalled(path, hangups, monkeypatch, change):
    monkeypatch.setattr(pid_file, "_command", lambda _: b"postgres\0-D\0/data\0")
    pid_file.record(path, 0, "")
    change(path)
    with pytest.raises(ServeError) as caught:
        pid_file.reload(path)
    assert str(caught.value) == (
        f"process {os.getpid()} is not the server that wrote {path}\n"
        f"    The server has ended; {path} is what it left, and another process has its number now."
    )
    assert not hangups.is_set()


def test_without_a_table_of_processes_the_number_has_to_do(path, hangups, tmp_path, monkeypatch):
    monkeypatch.setattr(pid_file, "_PROCESSES", tmp_path / "nothing")
    pid_file.record(path, 0, "")
    thread = answering(hangups, (path, 1, ""))
    assert pid_file.reload(path) == f"Process {os.getpid()} has reloaded."
    thread.join()


def ended():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            None,
            "there is no pid file PATH\n"
            "    Is the server running? It writes the file when it starts with this pidfile setting.",
            id="no file",
        ),
        pytest.param("", "the pid file PATH cannot be read: invalid literal for int() with base 10: ''", id="empty"),
        pytest.param("-1", "the pid file PATH cannot be read: -1 is no process", id="a group"),
        pytest.param(
            "ENDED", "there is no process ENDED\n    The server has ended; PATH is what it left.", id="nobody there"
        ),
        pytest.param(
            str(2**80),
            f"there is no process {2**80}\n    The server has ended; PATH is what it left.",
            id="no number of a process",
        ),
    ],
)
def test_a_pid_file_of_no_server_says_so(tmp_path, content, message):
    path = tmp_path / "pid"
    pid = str(ended())
    if content is not None:
        path.write_text(content.replace("ENDED", pid))
    with pytest.raises(ServeError) as caught:
        pid_file.reload(path)
    assert str(caught.value) == message.replace("PATH", str(path)).replace("ENDED", pid)


def test_a_process_of_somebody_else_says_so(path, monkeypatch):
    def forbid(pid, number):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbid)
    with pytest.raises(ServeError) as caught:
        pid_file.reload(path)
    assert str(caught.value) == (
        f"process {os.getpid()} may not be signalled\n"
        "    Run the command as the user who started the server, or as root."
    )


def test_what_was_recorded_is_forgotten(path):
    pid_file.record(path, 1, "no")
    assert sorted(each.name for each in path.parent.iterdir()) == ["pid", "pid.reload"]
    assert path.with_name("pid.reload").stat().st_mode & 0o777 == 0o600  # tracebacks are nobody's business
    pid_file.forget(path)
    pid_file.forget(path)
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail():
    pid_file.record(Path("/nowhere/pid"), 1, "")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("change", OF_ANOTHER_PROCESS)
def test_what_a_server_has_left_is_removed_where_another_process_has_its_number(path, monkeypatch, change):
    monkeypatch.setattr(pid_file, "_command", lambda _: b"postgres\0-D\0/data\0")
    pid_file.record(path, 0, "")
    change(path)
    pid_file.remove_stale(path)
    assert not [*path.parent.iterdir()]


def unreadable(path):
    path.write_text("none\n")


@pytest.mark.parametrize("change", [pytest.param(lambda _: None, id="a server that runs"), unreadable, Path.unlink])
def test_what_may_be_of_use_stays(path, change):
    pid_file.record(path, 0, "")
    change(path)
    before = sorted(each.name for each in path.parent.iterdir())
    pid_file.remove_stale(path)
    assert sorted(each.name for each in path.parent.iterdir()) == before
