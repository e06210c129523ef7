from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.edits.toml_places import find_places, parse_key_path

TEXT = '''\
# a = 1
ignore = ["a", 'b', # ]
  """c]""",
]
date = 1979-05-27 07:32:00 # then
[mounts] # all
"/" = "x:app"
"/a.b"={ app = "y # {}", ignore = ['q'], deep = { x.y = 1 } }
[tool . "multi serve"]
text = \'\'\'
[no] = "table"
\'\'\'
empty = []
[[many]]
x = "\\"]"
'''


def value_at(places, path):
    entry = places.entry(path)
    return tomllib.loads(f"x = {places.text[entry.value.start : entry.value.end]}")["x"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("ignore",), ["a", "b", "c]"], id="a list with comments in it"),
        pytest.param(("mounts", "/"), "x:app", id="a key in quotes"),
        pytest.param(("mounts", "/a.b", "app"), "y # {}", id="inside of braces"),
        pytest.param(("mounts", "/a.b", "deep", "x", "y"), 1, id="with dots, deeper inside"),
        pytest.param(("tool", "multi serve", "text"), '[no] = "table"\n', id="several lines"),
        pytest.param(("tool", "multi serve", "empty"), [], id="an empty list"),
        pytest.param(("many", "[]", "x"), '"]', id="in a list of tables"),
    ],
)
def test_each_value_is_found_where_it_stands(path, value):
    assert value_at(find_places(TEXT), path) == value


def test_tables_and_elements_are_found():
    places = find_places(TEXT)
    assert [path for path, _ in places.headers] == [("mounts",), ("tool", "multi serve"), ("many", "[]")]
    assert [TEXT[item.start : item.end] for item in places.items["ignore",]] == ['"a"', "'b'", '"""c]"""']
    assert TEXT[places.entry(("date",)).value.start :].startswith("1979-05-27 07:32:00 #")
    inside = places.entry(("mounts", "/a.b", "app"))
    assert [each.path[-1] for each in places.beside(inside)] == ["app", "ignore", "deep"]


@given(st.text(alphabet='ab/."\\#=[ é\n', max_size=8).filter(bool), st.text(alphabet='a"\\\n,]}#', max_size=8))
def test_whatever_a_key_and_a_value_are_they_are_found(key, value):
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    text = (
        f"[t]\nbefore = 1\n{quoted(key)} = [{quoted(value)}, {{ {quoted(key)} = {quoted(value)} }}] # end\nlast = 2\n"
    )
    assert parse_key_path(f"t.{quoted(key)}") == ("t", key)
    assert value_at(find_places(text), ("t", key)) == [value, {key: value}]
