from __future__ import annotations

import pytest

from multiserve.edits.toml_file import edit_toml
from multiserve.findings import Edit

REMOVED = [
    pytest.param("a = 1\nx = 2 # why\n\nb = 3\n", "x", "a = 1\n\nb = 3\n", id="a line"),
    pytest.param("a = 1\nx = 2", "x", "a = 1\n", id="the last line, without an end"),
    pytest.param("a = 1\r\nx = 2\r\nb = 3\r\n", "x", "a = 1\r\nb = 3\r\n", id="lines of Windows"),
    pytest.param("x = [\n  1,\n]\n[t]\n", "x", "[t]\n", id="several lines"),
    pytest.param(
        '[m]\n"/" = { app = "a", x = 1 } # c\n', 'm."/".x', '[m]\n"/" = { app = "a" } # c\n', id="the last of braces"
    ),
    pytest.param('m = { x = 1,  app = "a" }\n', "m.x", 'm = { app = "a" }\n', id="the first of braces"),
    pytest.param("m = { a = 1, x = 2, b = 3 }\n", "m.x", "m = { a = 1, b = 3 }\n", id="one between"),
    pytest.param('[m."/a"]\napp = "a"\nx = 1\n[n]\n', 'm."/a".x', '[m."/a"]\napp = "a"\n[n]\n', id="of a table"),
    pytest.param("\ufeffx = 1\ny = 2\n", "x", "\ufeffy = 2\n", id="behind a mark of the byte order"),
]


@pytest.mark.parametrize(("text", "key", "changed"), REMOVED)
def test_a_key_is_removed_and_all_else_stays(text, key, changed):
    assert edit_toml(text, Edit(key=key)) == changed


TAKEN_OUT = [
    pytest.param('x = ["q", "b"] # c\n', 'x = ["b"] # c\n', id="the first"),
    pytest.param("x = ['b', 'q']\n", "x = ['b']\n", id="the last"),
    pytest.param('x = ["a", "q", "b",]\n', 'x = ["a", "b",]\n', id="one between"),
    pytest.param('x = [\n  "a", # a\n  "q", # q\n  "b", # b\n]\n', 'x = [\n  "a", # a\n  "b", # b\n]\n', id="a line"),
    pytest.param('a = 1\nx = ["q"]\n', "a = 1\n", id="the only one, with its key"),
    pytest.param('x = ["q", "a", "q"]\n', 'x = ["a", "q"]\n', id="one of two that are the same"),
]


@pytest.mark.parametrize(("text", "changed"), TAKEN_OUT)
def test_an_element_is_taken_out_of_its_list(text, changed):
    assert edit_toml(text, Edit(key="x", old="q")) == changed


SET = [
    pytest.param('[m]\n"/" = "a" # c\n', 'm."/"', '[m]\n"/" = 1 # c\n', id="another value"),
    pytest.param(
        '[m] # c\n"/" = "a"\n\n[n]\nx = 1\n', 'm."/b"', '[m] # c\n"/" = "a"\n"/b" = 1\n\n[n]\nx = 1\n', id="a key"
    ),
    pytest.param("[m]\r\na = 2", "m.b", "[m]\r\na = 2\r\nb = 1\r\n", id="at the end, which has no newline"),
    pytest.param("[m]\n[n]\n", "m.b", "[m]\nb = 1\n[n]\n", id="in an empty table"),
    pytest.param(
        '[m]\n"/" = "a:b" # c\n', 'm."/".s', '[m]\n"/" = { app = "a:b", s = 1 } # c\n', id="an option of a target"
    ),
    pytest.param('[m]\n"/" = { app = "a" }\n', 'm."/".s', '[m]\n"/" = { app = "a", s = 1 }\n', id="an option more"),
    pytest.param(
        '[m."/"]\napp = "a"\n[n]\n', 'm."/".s', '[m."/"]\napp = "a"\ns = 1\n[n]\n', id="in a table of its own"
    ),
]


@pytest.mark.parametrize(("text", "key", "changed"), SET)
def test_a_key_gets_a_value(text, key, changed):
    assert edit_toml(text, Edit(key=key, new="1")) == changed


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        pytest.param("a = 1\n", Edit(key="x"), id="the key is not there"),
        pytest.param('x = ["a"]\n', Edit(key="x", old="q"), id="nor the element"),
        pytest.param("x = [\n", Edit(key="x"), id="it is no TOML any more"),
        pytest.param('x = "a"\n', Edit(key="x", old="q"), id="it is no list"),
        pytest.param("m = 1\n", Edit(key="m.x", new="1"), id="there is no table to add it to"),
        pytest.param("[m.a]\nx = 1\n", Edit(key="m.a"), id="a table with a header"),
    ],
)
def test_nothing_is_guessed(text, edit):
    assert edit_toml(text, edit) is None
