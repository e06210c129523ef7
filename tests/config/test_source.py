"""The one value for where a configuration comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.source import Source

FILE = Source(Path("site/multiserve.toml"))
TARGETS = Source(Path("site"), ("shop:app",))


@pytest.mark.parametrize(
    ("source", "file", "heading", "text"),
    [
        pytest.param(FILE, FILE.path, "site/multiserve.toml", "site/multiserve.toml", id="file"),
        pytest.param(TARGETS, None, "", "the command line", id="targets"),
    ],
)
def test_a_source_tells_its_file_its_folder_and_its_name(source, file, heading, text):
    assert (source.file, source.folder) == (file, Path("site"))
    assert (source.heading, str(source)) == (heading, text)


@pytest.mark.parametrize("source", [FILE, TARGETS], ids=["file", "targets"])
def test_an_absolute_source_is_the_same_from_any_folder(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = source.absolute()
    assert (found.path, found.targets) == (tmp_path / source.path, source.targets)
    assert found.folder == tmp_path / "site"
