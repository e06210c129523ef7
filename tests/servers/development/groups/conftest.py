"""A group whose process is a script of the test, which talks over the line as one of multiserve does."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from multiserve.config.file import load_config
from multiserve.servers.development.groups.start import Start
from multiserve.servers.groups.places import Places

# Does what the file `does` beside it says: each line is a message to send, or something to do.
SCRIPT = """\
import json, os, pathlib, signal, socket, sys, time

folder = pathlib.Path(__file__).parent
line = socket.socket(fileno=int(sys.argv[1]))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
_, descriptors, *_ = socket.recv_fds(line, 1, 1)
heard = line.makefile("rb").readline()
if not heard:
    os._exit(0)
(kind, order) = json.loads(heard)
name = socket.socket(fileno=descriptors[0]).getsockname()
with (folder / "orders").open("a") as file:
    file.write(json.dumps([os.getpid(), kind, order, name, os.environ.get("WHERE")]) + "\\n")
for each in (folder / "does").read_text().splitlines():
    word, _, rest = each.partition(" ")
    if word == "tell":
        line.sendall(rest.encode() + b"\\n")
    elif word == "exit":
        os._exit(int(rest))
    elif word == "close":
        line.close()
    elif word == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    time.sleep(1)
"""
PATIENCE = 20.0


class Scripted:
    """How a group is started whose process is a script, and what becomes of it."""

    def __init__(self, folder: Path, config) -> None:
        self.folder = folder
        (folder / "script.py").write_text(SCRIPT)
        self.places = Places("/tmp")
        self.place = self.places.place("old")
        self.told = []
        self.start = Start(
            name="old",
            command=[sys.executable, "-S", "-E", str(folder / "script.py")],
            environ={**os.environ, "WHERE": "here"},
            order={"group": "old"},
            config=config,
            concerns=config,
        )

    def other(self, **changes) -> Start:
        """The same start, with an order of its own."""
        return replace(self.start, order=changes)

    def does(self, *lines: str) -> None:
        (self.folder / "does").write_text("\n".join(lines))

    @property
    def orders(self) -> list[list]:
        path = self.folder / "orders"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def down(self) -> str | None:
        path = Path(f"{self.place.path}.down")
        return path.read_text() if path.exists() else None

    def until(self, condition) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.005)


@pytest.fixture
def scripted(tmp_path, tmp_path_factory, write_config):
    config = load_config(write_config('[mounts]\n"/old" = { app = "a:b", group = "old" }\n[groups.old]\n'))
    scripted = Scripted(tmp_path_factory.mktemp("script"), config)
    scripted.does('tell ["ready", {}]')
    yield scripted
    scripted.places.close()
