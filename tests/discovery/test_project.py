from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from multiserve.discovery import project
from multiserve.discovery.project import look_at
from multiserve.discovery.proposals import find_proposals


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        pytest.param({"a.py": "1", "b/c.py": "1"}, [("a", ""), ("b.c", "")], id="folders without __init__"),
        pytest.param({"src/a/__init__.py": "1", "src/a/b.py": "1"}, [("a", "src"), ("a.b", "src")], id="src"),
        pytest.param({"my-site/app.py": "1"}, [("app", "my-site")], id="a folder that is no module"),
        pytest.param({"w/app.py": "import m", "w/m.py": "1"}, [("app", "w"), ("m", "w")], id="imports beside it"),
        pytest.param(
            {"w/app.py": "from w import m", "w/m.py": "1"}, [("w.app", ""), ("w.m", "")], id="imports from above"
        ),
        pytest.param({"setup.py": "1", "test_a.py": "1", "tests/a.py": "1", "a.py": "def"}, [], id="none"),
    ],
)
def test_modules_and_their_folders(tmp_path, files, modules):
    write(tmp_path, files)
    found = look_at(tmp_path)
    assert [(source.module, found.pythonpath(source)) for source in found.sources] == modules


def test_what_cannot_be_read_is_left_out(tmp_path):
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    (tmp_path / "large.py").write_text("#" * 1_000_001)
    (tmp_path / "broken.py").symlink_to("nowhere")
    assert look_at(tmp_path).sources == ()


@pytest.fixture
def not_root():
    """A folder outside of pytest's own, and a user without the rights of root, who may look into every folder."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    user = os.geteuid()
    try:
        if user == 0:
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        yield folder
    finally:
        os.seteuid(user)
        shutil.rmtree(folder)


def test_what_one_may_not_look_into_is_left_out(not_root):
    write(not_root, {"app.py": "from flask import Flask\napp = Flask('a')", "uwsgi.ini": "[uwsgi]", "closed/b.py": "1"})
    (not_root / "uwsgi.ini").chmod(0)
    (not_root / "closed").chmod(0)
    try:
        assert look_at(not_root).folders == (not_root,)
        assert [each.found.what for each in find_proposals(not_root).mounts] == ["app:app"]
    finally:
        (not_root / "closed").chmod(0o755)


def test_no_more_folders_are_looked_at_than_a_project_has(tmp_path, monkeypatch):
    monkeypatch.setattr(project, "_MOST_FOLDERS", 3)
    for name in "abcd":
        (tmp_path / name).mkdir()
    assert look_at(tmp_path).folders == (tmp_path, tmp_path / "a", tmp_path / "b")
