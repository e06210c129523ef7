"""What belongs to a process: environment variables and the module search path."""

from __future__ import annotations

import pytest

from multiserve.config.environment import read_env, read_pythonpath
from multiserve.config.tables import Table


@pytest.mark.parametrize(
    ("values", "read", "problems"),
    [
        pytest.param({}, {}, [], id="none"),
        pytest.param({"A": "1", "b.c": ""}, {"A": "1", "b.c": ""}, [], id="texts"),
        pytest.param({"A": "1", "": "x"}, {"A": "1"}, ['env."": not the name of an environment variable'], id="empty"),
        pytest.param(
            {"A=B": "x"}, {}, ['env."A=B": not the name of an environment variable'], id="an equals sign in a name"
        ),
        pytest.param(
            {"A\0": "x"}, {}, ['env."A\\u0000": not the name of an environment variable'], id="a zero in a name"
        ),
        pytest.param(
            {"A": True},
            {},
            ["env.A: expected a text, found true or false\n    Put the value in quotes."],
            id="no text",
        ),
        pytest.param(
            {"A": "x\0"}, {}, ["env.A: the text contains a NUL character\n    Take the character out."], id="a zero"
        ),
    ],
)
def test_variables_are_texts_with_a_name(values, read, problems):
    table = Table(values, "env", [])
    assert read_env(table) == read
    assert [str(each) for each in table.problems] == problems


def test_folders_are_relative_to_that_of_the_file(tmp_path):
    (tmp_path / "one").mkdir()
    table = Table({"pythonpath": ["one", "."]}, "", [])
    assert read_pythonpath(table, tmp_path) == [tmp_path / "one", tmp_path]
    assert table.problems == []


def test_folders_have_to_be_there(tmp_path):
    table = Table({"pythonpath": ["x", "y" * 5000]}, "groups.blog", [])
    read_pythonpath(table, tmp_path)
    assert [(each.key, each.hint) for each in table.problems] == [
        ("groups.blog.pythonpath", "Paths are relative to the folder of this file.")
    ] * 2
    assert table.problems[0].message == f"no such folder: {tmp_path / 'x'}"
