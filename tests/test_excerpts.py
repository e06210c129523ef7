"""One line of a file as messages show it."""

from __future__ import annotations

import pytest

from multiserve.excerpts import excerpt

LONG = "x" * 200 + "=" + "y" * 200


@pytest.mark.parametrize(
    ("line", "number", "column", "text"),
    [
        pytest.param("app = create()", 3, None, "3 | app = create()", id="a line alone"),
        pytest.param('"/" = web', 12, 7, '12 | "/" = web\n   |       ^', id="a column"),
        pytest.param("[mounts", 1, 8, "1 | [mounts\n  |        ^", id="behind the end"),
        pytest.param("", 1, 1, "1 |\n  | ^", id="an empty line"),
        pytest.param("\ta = b", 1, 6, "1 |  a = b\n  |      ^", id="a tab is one column"),
        pytest.param("a\0\x1b[31m", 1, 2, "1 | a\ufffd\ufffd[31m\n  |  ^", id="what cannot be printed"),
        pytest.param(LONG, 1, None, f"1 | {'x' * 100}", id="a long line"),
        pytest.param(LONG, 1, 201, f"1 | {'x' * 49}={'y' * 50}\n  | {' ' * 49}^", id="a column far to the right"),
    ],
)
def test_a_line_is_shown(line, number, column, text):
    assert excerpt(line, number, column) == text
