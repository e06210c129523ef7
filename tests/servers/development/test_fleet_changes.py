"""Applications that come and go in the folders of fleets, in a development server."""

from __future__ import annotations

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.servers.development.fleet_changes import FleetChanges
from multiserve.servers.development.reloader import Reloader

WSGI = "def app(environ, start_response): ...\n"


@pytest.fixture
def watched(tmp_path, write_config, clean_process):
    """Return what writes a file, a reloader that follows a fleet, and what was told and called."""
    path = write_config('[mounts]\n"/" = { fleet = "watched_fleet" }\n')

    def write(name, text):
        (tmp_path / "watched_fleet").mkdir(exist_ok=True)
        (tmp_path / "watched_fleet" / name).write_text(text)

    write("one.py", WSGI)
    told, called = [], []
    config = load_config(path)
    reloader = Reloader(config, lambda: load_config(path), told.append)
    changes = FleetChanges(reloader, told.append, lambda: called.append("renew"))
    changes.follow(compose(config, development=True), lambda _: called.append("apply"))
    return write, reloader, told, called


def test_what_comes_is_told_and_takes_no_restart(watched, tmp_path):
    write, reloader, told, called = watched
    write("two.py", WSGI)
    write("bad.py", f"1 / 0\n{WSGI}")
    assert not reloader.is_due()
    assert told[1] == " * /two was added"
    assert told[0].startswith(" * FAILED /bad (watched_fleet/bad.py): importing ")
    assert called == ["apply", "renew"]
    assert not reloader.is_due()
    (tmp_path / "watched_fleet" / "two.py").unlink()
    assert [reloader.is_due(), reloader.is_due(), reloader.is_due()] == [False] * 3  # gone at the second look
    assert told[2:] == [" * /two was removed"]
    assert called == ["apply", "renew"] * 2
    write("bad.py", f"{WSGI}# repaired")
    assert reloader.is_due()


def test_what_changes_takes_a_restart(watched):
    write, reloader, told, called = watched
    write("one.py", f"{WSGI}# changed")
    assert reloader.is_due()
    assert called == []
    assert told[0].endswith("one.py', reloading")
