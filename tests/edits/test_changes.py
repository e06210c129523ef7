from __future__ import annotations

import stat
import time

import pytest

from multiserve.edits.changes import as_diff, find_changes, write
from multiserve.errors import ConfigError
from multiserve.findings import Edit, Finding

TEXT = 'ignore = ["A", "B"]\n[mounts]\n"/" = { app = "x", interface = "wsgi" }'


def finding(edit):
    return Finding(code="MS1", severity="note", mounts=("/",), key="", message="m", consequence="", cure="c", edit=edit)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "project").mkdir()
    path = tmp_path / "project" / "multiserve.toml"
    path.write_text(TEXT)
    return path


def test_all_edits_of_a_file_are_one_change_and_a_diff(file, tmp_path):
    findings = [
        finding(Edit(key="ignore", old="A")),
        finding(Edit(key="ignore", old="C")),
        finding(None),
        finding(Edit(key='mounts."/".interface')),
    ]
    (change,) = find_changes(findings, file, time.time_ns())
    assert change.findings == (findings[0], findings[3])
    assert as_diff([change], tmp_path) == (
        "--- a/project/multiserve.toml\n+++ b/project/multiserve.toml\n@@ -1,3 +1,3 @@\n"
        '-ignore = ["A", "B"]\n+ignore = ["B"]\n [mounts]\n'
        '-"/" = { app = "x", interface = "wsgi" }\n\\ No newline at end of file\n'
        '+"/" = { app = "x" }\n\\ No newline at end of file\n'
    )
    assert file.read_text() == TEXT


def test_a_change_is_written_through_a_link_and_keeps_the_mode(file, tmp_path):
    file.chmod(0o640)
    link = file.parent / "link.toml"
    link.symlink_to(file)
    (change,) = find_changes([finding(Edit(key="ignore", old="A"))], link, time.time_ns())
    write(change)
    assert link.is_symlink()
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (TEXT.replace('"A", ', ""), 0o640)
    assert sorted(each.name for each in file.parent.iterdir()) == ["link.toml", "multiserve.toml"]


def test_a_file_that_has_changed_since_is_left_alone(file):
    edit = finding(Edit(key="ignore", old="A"))
    assert find_changes([edit], file, file.stat().st_mtime_ns - 1) == []
    (change,) = find_changes([edit], file, time.time_ns())
    file.write_text("other")
    with pytest.raises(ConfigError) as caught:
        write(change)
    assert str(caught.value) == f"{file} has changed meanwhile\n    Check again."
    assert (file.read_text(), list(file.parent.iterdir())) == ("other", [file])


@pytest.mark.parametrize("place", ["../settings.py", ".venv/lib/site-packages/settings.py", "link.py", "gone.py"])
def test_what_is_not_of_the_project_is_left_alone(file, tmp_path, place):
    (tmp_path / "settings.py").write_text('NAME = "old"\n')
    path = file.parent / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if "site-packages" in place:
        path.write_text('NAME = "old"\n')
    elif place == "link.py":
        path.symlink_to(tmp_path / "settings.py")
    edit = Edit(key="NAME", old="old", new='"new"', file=str(path))
    assert find_changes([finding(edit)], file, time.time_ns()) == []
