"""What the process in front knows of the groups, from the files beside their sockets."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from multiserve.composition import Composition
from multiserve.config.file import load_config
from multiserve.config.processes import for_front
from multiserve.servers.development.groups import state
from multiserve.servers.development.groups.state import States, note_ready, note_start

FILE = """
[mounts]
"/" = "a:b"
"/old" = { app = "old:app", group = "old" }
"/new" = { app = "new:app", group = "new" }
[groups.old]
[groups.new]
"""


@pytest.fixture
def socket(tmp_path):
    return str(tmp_path / "1.sock")


@pytest.fixture
def states(write_config, socket, tmp_path):
    return States(for_front(load_config(write_config(FILE)), {"old": socket, "new": str(tmp_path / "2.sock")}))


def failures(states):
    """Why each mount cannot be served, where those of this process know a reason of their own."""
    own = Composition(
        config=None, mounts=(), application=None, interface="asgi", failure_of_start={"/": "own"}.get
    )  # fmt: skip
    added = states.add_to(own)
    return {name: added.failure_of_start(name) for name in ("/", "/old", "/new")}


@pytest.mark.parametrize(
    ("written", "failure"),
    [
        pytest.param({}, None, id="not ready"),
        pytest.param({".ready": "{}"}, "", id="ready"),
        pytest.param({".ready": '{"/old": "why"}'}, "why", id="ready but for a mount"),
        pytest.param({".ready": "{}", ".down": "ended"}, "ended", id="down"),
        pytest.param({".ready": "{"}, None, id="no state at all"),
    ],
)
def test_why_a_mount_cannot_be_served(states, socket, written, failure):
    for end, text in written.items():
        Path(f"{socket}{end}").write_text(text)
    assert failures(states) == {"/": "own", "/old": failure or None, "/new": None}


def test_without_groups_a_composition_stays_as_it_is(write_config):
    composition = SimpleNamespace()
    assert States(load_config(write_config('[mounts]\n"/" = "a:b"\n'))).add_to(composition) is composition


def test_a_group_that_has_become_ready_again_is_noticed_once(states, socket):
    assert not states.have_restarted()
    note_ready(socket, {})
    assert not states.have_restarted()  # for the first time
    note_start(socket)
    assert not states.have_restarted()
    note_ready(socket, {"/old": "why"})
    os.utime(f"{socket}.ready", (1, 1))
    assert (states.have_restarted(), states.have_restarted()) == (True, False)


def test_it_waits_until_each_group_is_ready_or_down(states, socket, tmp_path):
    shown = []

    @contextlib.contextmanager
    def progress(mount):
        shown.append(mount.name)
        note_ready(socket, {})
        (tmp_path / "2.sock.down").touch()
        yield

    states.wait(progress)
    assert shown == ["/old", "/new"]


def test_it_does_not_wait_for_ever(states, monkeypatch):
    monkeypatch.setattr(state, "_PATIENCE", 0.05)
    states.wait(contextlib.nullcontext)
    assert failures(states)["/old"] is None


def test_a_folder_that_is_gone_is_no_error(tmp_path):
    note_ready(str(tmp_path / "gone" / "1.sock"), {})
    note_start(str(tmp_path / "gone" / "1.sock"))
