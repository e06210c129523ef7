"""The sockets of groups."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from multiserve.errors import ServeError
from multiserve.servers.groups.places import Places


@pytest.fixture
def places(tmp_path_factory):
    made = Places("/tmp")
    yield made
    made.close()


def test_a_group_has_one_socket_that_other_users_cannot_reach(places):
    one, other = places.place("legacy"), places.place("a name/with a slash")
    assert places.place("legacy") is one
    assert one.path != other.path
    assert stat.S_IMODE(places.folder.stat().st_mode) == 0o700
    assert one.path.is_socket()
    assert one.path.parent == places.folder


def connect(place):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(str(place.path))
    return client


def test_connections_wait_until_somebody_takes_them(places):
    place = places.place("legacy")
    with connect(place) as client:
        client.sendall(b"hello")
        with place.listener.accept()[0] as taken:
            assert taken.recv(10) == b"hello"


def test_a_group_that_is_down_says_why_and_turns_away_who_waits(places):
    place = places.place("legacy")
    down = Path(f"{place.path}.down")
    with connect(place) as before:
        place.go_down("no such module")
        assert before.recv(10) == b""
    assert down.read_text() == "no such module"
    with connect(place) as later:
        place.turn_away()
        assert later.recv(10) == b""
    place.come_up()
    place.come_up()
    assert not down.exists()
    assert place.listener.gettimeout() == 0  # so that no event loop of another process waits in it


def test_what_is_given_up_is_removed(places):
    kept, gone = places.place("kept"), places.place("gone")
    gone.go_down("why")
    places.keep_only({"kept", "another"})
    assert [path.name for path in places.folder.iterdir()] == [kept.path.name]
    assert places.place("gone").path != gone.path
    folder = places.folder
    places.close()
    assert not folder.exists()


def test_a_forked_process_leaves_the_folder_alone(places, monkeypatch):
    folder = places.place("legacy").path.parent
    monkeypatch.setattr(os, "getpid", lambda: -1)
    places.close()
    monkeypatch.undo()
    assert folder.exists()


def test_a_folder_with_a_long_name_is_not_used(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    places = Places(str(long))
    assert places.folder.parent == Path("/tmp")
    places.close()
    monkeypatch.setattr("multiserve.servers.groups.places._USUAL", str(long))
    with pytest.raises(ServeError) as caught:
        Places(str(long)).place("legacy")
    assert str(caught.value) == (
        f"there is no folder for the sockets of groups: the path is too long for a unix socket: {long}\n"
        "    Set TMPDIR to a folder with a short path that can be written to, or worker_tmp_dir under [gunicorn]."
    )
    assert list(long.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_a_clear_error(monkeypatch):
    monkeypatch.setattr(tempfile, "mkdtemp", _refuse)
    with pytest.raises(ServeError, match=r"^there is no folder for the sockets of groups: Read-only file system: /tmp"):
        Places("/nowhere").place("legacy")


def _refuse(*_, **__):
    raise OSError(30, "Read-only file system")
