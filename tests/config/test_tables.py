from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from multiserve.config.tables import Table, describe, did_you_mean, option, quote_key
from multiserve.errors import Problem

VALUES = """
text = "words"
nul = "a\\u0000b"
list = ["a", "b"]
mixed = ["a", 1]
nul_list = ["a\\u0000"]
yes = true
one = 1
half = 0.5
huge = 0xfffffffffffffffffffffffffffffffffffffff
date = 2024-02-29
time = 07:32:00
moment = 2024-02-29T07:32:00Z
table = { x = 1 }
tables = [{ x = 1 }]
"""


@pytest.fixture
def table():
    return Table(tomli.loads(VALUES), "server", [])


@pytest.mark.parametrize(
    ("key", "spelt"),
    [
        pytest.param("host", "host", id="bare"),
        pytest.param("a-b_9", "a-b_9", id="dashes and digits"),
        pytest.param("", '""', id="empty"),
        pytest.param("/admin", '"/admin"', id="a slash"),
        pytest.param("a.b", '"a.b"', id="a dot"),
        pytest.param("café", '"café"', id="not ASCII"),
        pytest.param('say "hi" \\', r'"say \"hi\" \\"', id="quotes and a backslash"),
        pytest.param("a\n\r\tb", r'"a\n\r\tb"', id="line breaks"),
        pytest.param("\0\x1b", r'"\u0000\u001b"', id="control characters"),
        pytest.param("\U000e0001", r'"\U000e0001"', id="a control character of eight digits"),
    ],
)
def test_a_key_is_spelt_as_toml_does(key, spelt):
    assert quote_key(key) == spelt


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_spelt_key_is_read_as_that_key(key):
    assert tomli.loads(f"{quote_key(key)} = 1") == {key: 1}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        pytest.param(True, "true or false", id="boolean"),
        pytest.param(1, "a whole number", id="integer"),
        pytest.param(1.5, "a number with a fraction", id="float"),
        pytest.param("x", "a text", id="string"),
        pytest.param([], "a list", id="array"),
        pytest.param({}, "a table", id="table"),
        pytest.param(dt.datetime(2024, 2, 29, tzinfo=dt.UTC), "a date or time", id="datetime"),
        pytest.param(dt.date(2024, 2, 29), "a date or time", id="date"),
        pytest.param(dt.time(7), "a date or time", id="time"),
        pytest.param(None, "NoneType", id="what TOML does not have"),
    ],
)
def test_a_value_is_described_by_its_toml_type(value, name):
    assert describe(value) == name


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        pytest.param("prot", 'Did you mean "port"?', id="a near one"),
        pytest.param("zzz", "Known here: host, port.", id="no near one"),
        pytest.param("", "Known here: host, port.", id="empty"),
    ],
)
def test_the_nearest_choice_is_asked_for(word, hint):
    assert did_you_mean(word, ["port", "host"]) == hint


WRONG = [
    pytest.param("text", "one", "expected a text, found a whole number", "Put the value in quotes.", id="1 as text"),
    pytest.param("text", "yes", "expected a text, found true or false", "Put the value in quotes.", id="true as text"),
    pytest.param(
        "text", "date", "expected a text, found a date or time", "Put the value in quotes.", id="date as text"
    ),
    pytest.param("text", "nul", "the text contains a NUL character", "Take the character out.", id="NUL in text"),
    pytest.param(
        "integer", "yes", "expected a whole number, found true or false", "Write a number such as 1.", id="true as 1"
    ),
    pytest.param(
        "integer",
        "half",
        "expected a whole number, found a number with a fraction",
        "Write a number such as 1.",
        id="0.5 as 1",
    ),
    pytest.param(
        "integer", "text", "expected a whole number, found a text", "Write it without quotes.", id="text as 1"
    ),
    pytest.param(
        "integer", "time", "expected a whole number, found a date or time", "Write a number such as 1.", id="time as 1"
    ),
    pytest.param(
        "boolean", "one", "expected true or false, found a whole number", "Write it without quotes.", id="1 as true"
    ),
    pytest.param(
        "boolean", "text", "expected true or false, found a text", "Write it without quotes.", id="text as true"
    ),
    pytest.param(
        "texts", "text", "expected a list of texts, found a text", 'Write text = ["...", "..."].', id="text as list"
    ),
    pytest.param(
        "texts",
        "mixed",
        "expected a list of texts, found a list with something else in it",
        'Write mixed = ["...", "..."].',
        id="a mixed list",
    ),
    pytest.param(
        "texts",
        "nul_list",
        "expected a list of texts, found a list with something else in it",
        'Write nul_list = ["...", "..."].',
        id="NUL in a list",
    ),
    pytest.param(
        "texts",
        "moment",
        "expected a list of texts, found a date or time",
        'Write moment = ["...", "..."].',
        id="moment as list",
    ),
]
DEFAULTS = {"text": "default", "integer": 7, "boolean": None, "texts": ("default",)}


@pytest.mark.parametrize(("kind", "name", "message", "hint"), WRONG)
def test_a_wrong_value_is_a_problem_and_gives_the_default(table, kind, name, message, hint):
    assert getattr(table, kind)(name, DEFAULTS[kind]) == DEFAULTS[kind]
    assert table.problems == [Problem(key=f"server.{name}", message=message, hint=hint)]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        pytest.param("text", "text", "words", id="a text"),
        pytest.param("integer", "one", 1, id="a whole number"),
        pytest.param("boolean", "yes", True, id="a boolean"),
        pytest.param("texts", "list", ("a", "b"), id="a list of texts"),
        pytest.param("text", "missing", "default", id="no text"),
        pytest.param("integer", "missing", 7, id="no number"),
        pytest.param("boolean", "missing", None, id="no boolean"),
        pytest.param("texts", "missing", ("default",), id="no list"),
    ],
)
def test_a_right_or_missing_value_is_no_problem(table, kind, name, value):
    assert getattr(table, kind)(name, DEFAULTS[kind]) == value
    assert table.problems == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(-1, "-1", id="too small"),
        pytest.param(11, "11", id="too large"),
        pytest.param(10**30, "a number of that size", id="far too large"),
        pytest.param(16**5000, "a number of that size", id="too large to be printed"),
        pytest.param(-(16**5000), "a number of that size", id="too small to be printed"),
    ],
)
def test_a_number_out_of_range_is_a_problem(value, written):
    table = Table({"port": value}, "server", [])
    assert table.integer("port", 7, minimum=0, maximum=10) == 7
    assert table.problems == [
        Problem(key="server.port", message=f"{written} is out of range", hint="Write a number from 0 to 10.")
    ]


@pytest.mark.parametrize("default", ["small", None])
@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        pytest.param("lrage", '"lrage" is not one of the choices', 'Did you mean "large"?', id="a near one"),
        pytest.param("LARGE", '"LARGE" is not one of the choices', "Known here: large, small.", id="in capitals"),
        pytest.param("", '"" is not one of the choices', "Known here: large, small.", id="empty"),
        pytest.param(True, "expected a text, found true or false", "Put the value in quotes.", id="no text"),
    ],
)
def test_what_is_not_one_of_the_choices_is_a_problem_and_gives_the_default(value, message, hint, default):
    table = Table({"size": value}, "server", [])
    assert table.choice("size", default, ("small", "large")) == default
    assert table.problems == [Problem(key="server.size", message=message, hint=hint)]


@pytest.mark.parametrize(
    ("values", "size"),
    [pytest.param({"size": "large"}, "large", id="a choice"), pytest.param({}, "small", id="nothing")],
)
def test_one_of_the_choices_or_none_is_no_problem(values, size):
    table = Table(values, "server", [])
    assert table.choice("size", "small", ("small", "large")) == size
    assert table.problems == []


def test_a_table_in_a_table_knows_its_path_and_shares_the_problems(table):
    inner = table.table("table")
    inner.refuse("x", "wrong", "Mend it.")
    inner.refuse("/y", "wrong")
    assert list(inner) == ["x"]
    assert table.problems == [
        Problem(key="server.table.x", message="wrong", hint="Mend it."),
        Problem(key='server.table."/y"', message="wrong"),
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [pytest.param("text", "a text", id="a text"), pytest.param("tables", "a list", id="a list of tables")],
)
def test_what_is_no_table_is_a_problem_and_read_as_an_empty_one(table, name, found):
    assert list(table.table(name)) == []
    assert table.problems == [
        Problem(key=f"server.{name}", message=f"expected a table, found {found}", hint=f"Write [server.{name}].")
    ]


@dataclass(frozen=True, kw_only=True)
class Options:
    given: str
    name: str = option("default", help="A name.")
    count: int = option(1, help="A number.", minimum=0, maximum=9)
    on: bool = option(default=False, help="A switch.")
    maybe: bool | None = option(default=None, help="A switch with a third state.")
    words: tuple[str, ...] = option((), help="Words.")
    size: Literal["small", "large"] | None = option(default=None, help="A size.", choices=("small", "large"))


def test_a_table_is_read_into_a_dataclass():
    values = {"name": "x", "count": 2, "on": True, "maybe": False, "words": ["a"], "size": "large"}
    table = Table(values, "", [])
    assert table.read(Options, given="g") == Options(**{**values, "words": ("a",)}, given="g")
    assert table.problems == []


def test_an_empty_table_gives_the_defaults():
    assert Table({}, "", []).read(Options, given="g") == Options(given="g")


def test_every_mistake_in_a_table_is_reported():
    table = Table({"nmae": "x", "given": "g", "count": 10, "on": 1, "size": "lage"}, "options", [])
    assert table.read(Options, given="g") == Options(given="g")
    assert table.problems == [
        Problem(key="options.nmae", message="no such key", hint='Did you mean "name"?'),
        Problem(key="options.given", message="no such key", hint="Known here: count, maybe, name, on, size, words."),
        Problem(key="options.count", message="10 is out of range", hint="Write a number from 0 to 9."),
        Problem(
            key="options.on", message="expected true or false, found a whole number", hint="Write it without quotes."
        ),
        Problem(key="options.size", message='"lage" is not one of the choices', hint='Did you mean "large"?'),
    ]
