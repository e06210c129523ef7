"""What would break where an export runs the mounts is asked for alone, and each engine has its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import find_all, look_at
from multiserve.checks.engines import CHECKS
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.config.model import ENGINES
from multiserve.export.formats import FORMATS

TOML = """
[mounts]
"/" = "engine_shop:app"
"/files" = { static = "/usr/share" }
"/local" = { proxy = "http://127.0.0.1:9" }
"/other" = { proxy = "http://other.internal:9" }
"""
APP = """
from flask import Flask

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.sqlite"
"""
EXPECTED = [
    pytest.param("", [], id="nothing is asked"),
    pytest.param("systemd", ["MS183 /"], id="systemd"),
    pytest.param("compose", ["MS181 /files", "MS182 /local", "MS183 /"], id="compose"),
    pytest.param("kubernetes", ["MS181 /files", "MS182 /local", "MS183 /"], id="kubernetes"),
]


@pytest.mark.usefixtures("clean_process")
@pytest.mark.parametrize(("engine", "expected"), EXPECTED)
def test_each_engine_has_its_own(write_config, tmp_path, engine, expected):
    pytest.importorskip("flask")
    pytest.importorskip("aiohttp")
    (tmp_path / "engine_shop.py").write_text(APP)
    subject = look_at(compose(replace(load_config(write_config(TOML)), engine=engine)), {})
    codes = {check.code for check in CHECKS}
    found = [each for each in find_all(subject) if each.code in codes]
    assert sorted(f"{each.code} {' '.join(each.mounts)}" for each in found) == expected


def test_the_engines_are_those_that_are_exported():
    assert set(ENGINES) < set(FORMATS)
