"""What is too long to be read."""

from __future__ import annotations

import pytest

from multiserve.shortening import first_line, shorten, shorten_words


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        pytest.param("", 3, "", id="nothing"),
        pytest.param("abc", 3, "abc", id="what fits"),
        pytest.param("abcdef", 5, "ab…ef", id="an odd number of characters"),
        pytest.param("abcdefg", 4, "ab…g", id="an even number"),
    ],
)
def test_the_middle_is_cut_out(text, length, expected):
    assert shorten(text, length) == expected


def test_a_message_is_bounded_by_its_words_and_as_a_whole():
    assert shorten_words(f'no "{"x" * 200}" here') == f'no "{"x" * 99}…{"x" * 98}" here'
    assert shorten_words("x " * 99) == "x " * 99
    assert len(shorten_words("x " * 9999)) == 2000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("one", "one"), ("\n \n one\ntwo", " one"), ("one\r\ntwo", "one")],
    ids=["nothing", "one line", "empty lines before it", "as Windows ends it"],
)
def test_the_first_line_with_anything_in_it(text, expected):
    assert first_line(text) == expected
