"""Files of environment variables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from multiserve.config.env_files import can_read_env_files, named_env_files, read_env_files, usual_env_file
from multiserve.config.file import load_config
from multiserve.errors import ConfigError

FILE = """
[mounts]
"/" = "${SHOP:-unset}:app"
[env]
SHOP = "table"
ONLY_TABLE = "table"
"""


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_a_file_is_read_and_a_later_one_counts_more(write):
    first = write(".env", "# a comment\nexport SHOP='The Shop'\nCOLOUR=red\nWITHOUT_VALUE\n")
    second = write("local.env", "COLOUR=blue\nLONG=${COLOUR}ish\n")
    assert read_env_files([first, second]) == {"SHOP": "The Shop", "COLOUR": "blue", "LONG": "blueish"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "no such file\n    Check the path given by --env-file.", id="no file"),
        pytest.param(b"A=\xff", "not UTF-8\n    Save the file as UTF-8.", id="not UTF-8"),
        pytest.param("folder", "cannot be read: Is a directory", id="a folder"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(write, tmp_path, content, message):
    path = tmp_path / "shop.env"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        write("shop.env", content)
    with pytest.raises(ConfigError) as caught:
        read_env_files([path])
    assert str(caught.value) == f"{path}:\n{message}"


def test_a_line_that_sets_nothing_is_a_problem_at_its_line(write, caplog):
    path = write("shop.env", 'A=b\n\n# c\n\n  D = "open\nE=f\nG h\n')
    how = 'Write NAME=value, with the value in quotes where it has spaces, and close every quote: NAME="a b".'
    with pytest.raises(ConfigError) as caught:
        read_env_files([path])
    message = "this does not set an environment variable"
    assert str(caught.value) == "\n".join(
        [f'{path}:5: {message}\n    5 | D = "open\n    {how}', f"{path}:7: {message}\n    7 | G h\n    {how}"]
    )
    assert not caplog.records


def test_without_the_package_the_error_says_what_to_install(write, monkeypatch):
    path = write("shop.env", "A=b")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    with pytest.raises(ConfigError) as caught:
        read_env_files([path])
    assert str(caught.value) == (
        "--env-file: such a file is read by python-dotenv, which is not installed\n"
        '    Type pip install "multiserve[dotenv]".'
    )


def test_the_package_is_looked_for_without_importing_it():
    assert can_read_env_files()


def test_the_usual_file_is_beside_the_configuration(write, tmp_path):
    assert usual_env_file(tmp_path) is None
    path = write(".env", "")
    assert usual_env_file(tmp_path) == path


@pytest.mark.parametrize("names", [("a.env", "a.env"), ("a.env", "./a.env"), ("a.env", "b.env", "sub/../a.env")])
def test_two_names_for_one_file_are_a_problem(names):
    with pytest.raises(ConfigError) as caught:
        named_env_files(names)
    message = f"--env-file: {names[0]} and {names[-1]} are the same file\n    Keep one of the two."
    assert str(caught.value) == message


def test_other_names_are_other_files():
    assert named_env_files(("a.env", "b.env")) == (Path("a.env").resolve(), Path("b.env").resolve())


@pytest.mark.parametrize(
    ("in_process", "in_file", "target", "shop"),
    [
        pytest.param("process", "SHOP=file", "process:app", "file", id="what is set wins"),
        pytest.param(None, "SHOP=file", "file:app", "file", id="the file beats the table"),
        pytest.param(None, "OTHER=file", "table:app", "table", id="the table alone"),
    ],
)
def test_the_process_beats_the_file_and_the_file_the_table(
    write, write_config, monkeypatch, in_process, in_file, target, shop
):
    monkeypatch.delenv("SHOP", raising=False)
    if in_process:
        monkeypatch.setenv("SHOP", in_process)
    path = write(".env", in_file)
    config = load_config(write_config(FILE), env_files=[path])
    assert config.mounts[0].what == target
    assert (config.env["SHOP"], config.env["ONLY_TABLE"], config.env_files) == (shop, "table", (path,))
