"""One process of a group: what it is told, what is heard from it, and that it ends."""

from __future__ import annotations

import os
import time

import pytest

from multiserve.servers.development.groups import process
from multiserve.servers.development.groups.process import GroupProcess
from multiserve.servers.development.groups.waiting import WaitingProcess


@pytest.fixture
def begin(scripted):
    """Start the process; its end is at hand."""
    begun = []

    def begin(**options):
        options = {"is_restart": False, **options}
        begun.append(GroupProcess(WaitingProcess(scripted.start), scripted.start, scripted.place, **options))
        return begun[-1]

    yield begin
    for each in begun:
        each.kill()
        each.run(lambda *_: None)


def test_it_is_told_its_order_and_has_its_socket(scripted, begin):
    scripted.does('tell ["ready", {"/old": "broken"}]', 'tell ["refused", "why"]', "exit 7")
    heard = []
    assert begin(is_restart=True).run(lambda *message: heard.append(message)) == 7
    path = str(scripted.place.path)
    ((_, kind, order, name, where),) = scripted.orders
    told = {"group": "old", "socket": path, "is_restart": True, "parent": os.getpid()}
    assert (kind, order) == ("serve", told)
    assert (name, where) == (path, "here")
    assert heard == [("ready", {"/old": "broken"}), ("refused", "why")]


@pytest.mark.parametrize("does", [(), ("close",)], ids=["while it talks", "after it has closed its line"])
def test_it_is_asked_to_end(scripted, begin, does):
    scripted.does('tell ["ready", {}]', *does)
    started = begin()
    assert started.run(lambda *_: started.end()) == 0


def test_it_is_killed_if_it_does_not_end(scripted, begin, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE", 0.1)
    scripted.does("ignore", 'tell ["ready", {}]')
    started = begin()
    began = time.monotonic()
    assert started.run(lambda *_: started.end()) == -9
    assert time.monotonic() - began < 5


def test_the_note_of_an_earlier_process_is_gone(scripted, begin, tmp_path):
    note = scripted.place.path.with_name(f"{scripted.place.path.name}.ready")
    note.write_text("{}")
    begin()
    assert not note.exists()
