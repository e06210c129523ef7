"""Roles of texts for a terminal."""

from __future__ import annotations

import click
import pytest

from multiserve.styles import plain, visible_length


def test_a_plain_text_stays_as_it_is():
    assert plain("FAILED", "bad") == "FAILED"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("/café", 5, id="plain"),
        pytest.param(click.style("ok", fg="green", bold=True), 2, id="painted"),
        pytest.param(f"{click.style('a', dim=True)} b {click.style('c', underline=True)}", 5, id="painted in parts"),
    ],
)
def test_colours_take_no_room(text, length):
    assert visible_length(text) == length
