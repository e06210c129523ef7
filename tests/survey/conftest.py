"""Compositions with groups: small applications without a framework, and with Flask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve.config.file import load_config
from multiserve.config.model import Config

WSGI = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{name}"]
"""
APPS = {
    "shop": WSGI,
    "blog": WSGI,
    "flasky": """
from flask import Flask

app = Flask(__name__)
app.secret_key = "a key of its own"
again = app


@app.get("/")
def index():
    return "hello"


@app.post("/<name>")
def save(name):
    return name
""",
    "leaves": "import os\nos._exit(3)\n",
    "crashes": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "hangs": "import time\ntime.sleep(600)\n",
    "tells": """
import os
open(__file__ + ".pid", "w").write(str(os.getpid()))
def app(environ, start_response): ...
""",
    "fails": "1 / 0\n",
}


@pytest.fixture
def grouped(tmp_path: Path, write_config: Callable[[str], Path]) -> Callable[..., Config]:
    """Write the applications, and read a configuration: mounts by their keys, each with a group or without one."""
    for name, text in APPS.items():
        (tmp_path / f"{name}.py").write_text(text.replace("{name}", name))

    def read(mounts: dict[str, tuple[str, str]], more: str = "") -> Config:
        lines = []
        for key, (what, group) in mounts.items():
            entry = what if " = " in what else f'app = "{what}:app"'
            of_group = f', group = "{group}"' if group else ""
            lines.append(f'"{key}" = {{ {entry}{of_group} }}')
        groups = dict.fromkeys(group for _, group in mounts.values() if group)
        tables = [f"[groups.{group}]" for group in groups if f"[groups.{group}]" not in more]
        return load_config(write_config("\n".join(["[mounts]", *lines, *tables, more])))

    return read
