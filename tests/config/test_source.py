"""The one value for where a configuration comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.source import Source
from multiserve.errors import Problem

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


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        pytest.param("Add it to pythonpath.", "Add it to the environment variable PYTHONPATH.", id="the search path"),
        pytest.param('As in pythonpath = ["a"].', "As in PYTHONPATH=a.", id="a line of the file"),
        pytest.param("From the folder of the configuration.", "From the current folder.", id="the folder"),
        pytest.param('A is not set. Set it, or write A = "..." under [env].', "A is not set. Set it.", id="a variable"),
        pytest.param('Write A = "b.c" under [env].', "Set the environment variable A=b.c.", id="its value"),
        pytest.param(
            "Set their environment variables, or write them under [env].", "Set their environment variables.", id="some"
        ),
        pytest.param("It is set there, or under [env].", "It is set there.", id="the table"),
    ],
)
def test_a_problem_is_worded_for_the_command_line(hint, expected):
    problem = Problem(key="a", message=hint, hint=hint)
    assert TARGETS.word(problem) == Problem(key="a", message=expected, hint=expected)
    assert FILE.word(problem) is problem


@pytest.mark.parametrize("source", [FILE, TARGETS], ids=["file", "targets"])
def test_an_absolute_source_is_the_same_from_any_folder(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = source.absolute()
    assert (found.path, found.targets) == (tmp_path / source.path, source.targets)
    assert found.folder == tmp_path / "site"
