"""A group whose process is a script of the test, which talks over the line as one of multiserve does."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

import pytest

from multiserve.config.groups import Group
from multiserve.servers.groups.places import Places
from multiserve.servers.production.groups.process import Start
from multiserve.servers.production.groups.supervised import SupervisedGroup

# Does what the file `does` beside it says: each line is a message to send, or something to do.
SCRIPT = """\
import json, os, pathlib, signal, socket, sys, time

folder = pathlib.Path(__file__).parent
line = socket.socket(fileno=int(sys.argv[1]))
heard = line.makefile("rb")
(kind, order) = json.loads(heard.readline())
(folder / "orders").open("a").write(json.dumps([os.getpid(), order]) + "\\n")
reloads = []
signal.signal(signal.SIGHUP, lambda *_: reloads.append(1))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
for each in (folder / "does").read_text().splitlines():
    word, _, rest = each.partition(" ")
    if word == "tell":
        line.sendall(rest.encode() + b"\\n")
    elif word == "exit":
        os._exit(int(rest))
    elif word == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif word == "go":
        (folder / "admitted").write_bytes(heard.readline())
    elif word == "reload":
        while not reloads:
            time.sleep(0.005)
        line.sendall(rest.encode() + b"\\n")
while True:
    time.sleep(1)
"""
PATIENCE = 20.0


class Scripted:
    """A supervised group, and what its script does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "script.py").write_text(SCRIPT)
        self.places = Places("/tmp")
        self.start = Start(
            command=[sys.executable, "-S", "-E", str(folder / "script.py")],
            environ=dict(os.environ),
            directory=folder,
            user="",
            order={"graceful_timeout": 1},
        )
        self.group = SupervisedGroup(
            Group(name="old", toml_key="groups.old"),
            lambda: self.start,
            self.places.place("old"),
            ("/old", "/wiki"),
            logging.getLogger("scripted"),
        )

    def does(self, *lines: str) -> None:
        (self.folder / "does").write_text("\n".join(lines))

    def until(self, condition) -> None:
        """Look after the group until something is so."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            self.group.look()
            time.sleep(0.005)

    @property
    def orders(self) -> list[tuple[int, dict]]:
        path = self.folder / "orders"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def down(self) -> str | None:
        path = Path(f"{self.group.place.path}.down")
        return path.read_text() if path.exists() else None


READY = 'tell ["ready", {}]'


@pytest.fixture
def scripted(tmp_path):
    scripted = Scripted(tmp_path)
    scripted.does(READY)
    yield scripted
    scripted.group.kill()
    scripted.places.close()
