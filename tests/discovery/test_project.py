from __future__ import annotations

import pytest

from multiserve.discovery.project import look_at


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
    project = look_at(tmp_path)
    assert [(source.module, project.pythonpath(source)) for source in project.sources] == modules


def test_what_cannot_be_read_is_left_out(tmp_path):
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    (tmp_path / "large.py").write_text("#" * 1_000_001)
    (tmp_path / "broken.py").symlink_to("nowhere")
    assert look_at(tmp_path).sources == ()
