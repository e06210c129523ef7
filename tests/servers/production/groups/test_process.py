"""One process of a group."""

from __future__ import annotations

import os
import pwd
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from multiserve.config.groups import Group
from multiserve.servers.production.groups.process import GroupProcess


def test_it_runs_in_a_session_of_its_own_with_its_surroundings(scripted, tmp_path):
    (tmp_path / "script.py").write_text(
        "import json, os, pathlib, sys\n"
        "said = [os.getsid(0) == os.getpid(), os.getcwd(), os.environ.get('WHERE'), os.environ.get('HOME'), "
        "sys.stdin.read(), os.fstat(int(sys.argv[2])).st_mode >> 12]\n"
        "pathlib.Path(sys.argv[0]).with_name('said').write_text(json.dumps(said))\n"
    )
    start = replace(scripted.start, environ={"WHERE": "here"})
    process = GroupProcess(Group(name="old", toml_key="groups.old"), start, scripted.group.place)
    _until(lambda: process.poll() is not None)
    assert (tmp_path / "said").read_text() == f'[true, "{tmp_path}", "here", null, "", 12]'  # S_IFSOCK
    assert process.poll() == 0
    process.signal(signal.SIGTERM)  # it has ended, which is no error
    process.kill()


def test_it_is_killed_with_its_workers(scripted, tmp_path):
    (tmp_path / "script.py").write_text(
        "import os, pathlib, time\n"
        "child = os.fork()\n"
        "if child: pathlib.Path(__file__).with_name('child').write_text(str(child))\n"
        "time.sleep(60)\n"
    )
    process = GroupProcess(Group(name="old", toml_key="groups.old"), scripted.start, scripted.group.place)
    _until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    process.kill()
    child = int((tmp_path / "child").read_text())
    _until(lambda: _is_gone(child))
    assert process.poll() == -signal.SIGKILL


def _until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def _is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone may become another user")
def test_it_runs_as_another_user(scripted, tmp_path):
    try:
        user = pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("there is no user nobody")
    reading, writing = os.pipe()
    start = replace(
        scripted.start, command=["/bin/sh", "-c", "id -u; id -g; id -G"], directory=Path("/"), user="nobody"
    )
    stdout = os.dup(1)
    os.dup2(writing, 1)
    try:
        process = GroupProcess(Group(name="old", toml_key="groups.old"), start, scripted.group.place)
        _until(lambda: process.poll() is not None)
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(writing)
    process.kill()
    with os.fdopen(reading) as said:
        assert said.read().split() == [str(user.pw_uid), str(user.pw_gid), str(user.pw_gid)]


def test_a_user_that_does_not_exist_is_an_error(scripted):
    start = replace(scripted.start, user="no-such-user")
    with pytest.raises(LookupError):
        GroupProcess(Group(name="old", toml_key="groups.old"), start, scripted.group.place)
