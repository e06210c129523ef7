from __future__ import annotations

import pytest

from multiserve.probing.style_sheets import read_style_sheet

FILE, SHEET = "the file of a style sheet", "the style sheet"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a { background: url(/x.png) }", [(FILE, "/x.png")], id="without quotes"),
        pytest.param("a { background: URL( 'x y.png' ), url(\"y.png\") }", [(FILE, "y.png")], id="with quotes"),
        pytest.param("@font-face { src: url(x.woff) format('woff') }", [(FILE, "x.woff")], id="a font"),
        pytest.param("@import url('/x.css'); @import \"y.css\";", [(SHEET, "/x.css"), (SHEET, "y.css")], id="imports"),
        pytest.param("a { mask: url(#m); background: url(data:image/png;base64,AA==) }", [], id="no files"),
        pytest.param("/* url(x.png) */", [], id="a comment"),
    ],
)
def test_what_a_style_sheet_refers_to(text, expected):
    assert [(each.what, each.url) for each in read_style_sheet(text)] == expected
    assert {each.kind for each in read_style_sheet(text)} <= {"asset"}
