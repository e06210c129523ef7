from __future__ import annotations

import pytest

from multiserve.importers.entry_points import find_entry_point

PYPROJECT = '[project]\nname = "My_Shop"\n[project.entry-points."paste.app_factory"]\nmain = "shop:main"\n'
CFG = "[metadata]\nname = my-shop\n[options.entry_points]\npaste.app_factory =\n    main = shop:main\n"
SETUP = (
    "from setuptools import setup\nsetup(name='my.shop', entry_points={'paste.app_factory': ['main = shop:main']})\n"
)
TEXT = 'setup(name="my-shop", entry_points="""\n[paste.app_factory]\nmain = shop:main\n""")\n'


@pytest.mark.parametrize(
    ("file", "text"),
    [("pyproject.toml", PYPROJECT), ("setup.cfg", CFG), ("setup.py", SETUP), ("setup.py", TEXT)],
    ids=["pyproject.toml", "setup.cfg", "setup.py", "setup.py with a text"],
)
def test_the_project_beside_the_file(tmp_path, file, text):
    (tmp_path / file).write_text(text)
    assert find_entry_point(tmp_path, "my-shop", "paste.app_factory", "main") == "shop:main"
    assert find_entry_point(tmp_path, "my-shop", "paste.app_factory", "other") == ""
    assert find_entry_point(tmp_path, "other", "paste.app_factory", "main") == ""


@pytest.mark.parametrize("text", ["def", "setup(name=NAME, entry_points={})", "import os"])
def test_a_setup_that_tells_nothing(tmp_path, text):
    (tmp_path / "setup.py").write_text(text)
    assert find_entry_point(tmp_path, "my-shop", "paste.app_factory", "main") == ""


def test_an_installed_package(tmp_path):
    pytest.importorskip("flit_core")
    assert find_entry_point(tmp_path, "pytest-timeout", "pytest11", "timeout") == "pytest_timeout"
