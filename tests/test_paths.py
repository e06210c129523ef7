from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.paths import SAFE_IN_PATH, from_wsgi, to_wsgi


@pytest.mark.parametrize(
    ("text", "wsgi"),
    [
        pytest.param("/plain", "/plain", id="ASCII"),
        pytest.param("/café", "/caf\xc3\xa9", id="two bytes"),
        pytest.param("/\u20ac", "/\xe2\x82\xac", id="three bytes"),
    ],
)
def test_a_character_stands_for_a_byte(text: str, wsgi: str) -> None:
    assert to_wsgi(text) == wsgi
    assert from_wsgi(wsgi) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(text: str) -> None:
    assert from_wsgi(to_wsgi(text)) == text


def test_what_has_no_form_in_utf_8_is_an_error_unless_the_caller_says_otherwise() -> None:
    with pytest.raises(UnicodeEncodeError):
        to_wsgi("/\udcff")
    assert to_wsgi("/\udcff", "replace") == "/?"
    with pytest.raises(UnicodeDecodeError):
        from_wsgi("/\xff")
    assert from_wsgi("/\xff", "replace") == "/\ufffd"


def test_nothing_that_ends_a_path_is_safe_in_it() -> None:
    assert quote("/a:b@c?d#e f%", safe=SAFE_IN_PATH) == "/a:b@c%3Fd%23e%20f%25"
