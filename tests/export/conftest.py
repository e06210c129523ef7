"""How exports are made."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.export.model import make_export


@pytest.fixture
def export(write_config):
    """Make the export of a file, given its mounts as a table of TOML and what comes behind it."""

    def export(mounts, more="", **options):
        return make_export(load_config(write_config(f"[mounts]\n{mounts}\n{more}")), **options)

    return export


@pytest.fixture(autouse=True)
def folder(tmp_path):
    """Make a folder to mount, and one with a fleet."""
    (tmp_path / "files").mkdir()
    (tmp_path / "fleet").mkdir()
    for name in ("one", "two"):
        (tmp_path / "fleet" / f"{name}.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
