"""What a header field may consist of."""

from __future__ import annotations

import pytest

from multiserve.fields import has_control, is_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(b"x-name", True, id="letters"),
        pytest.param(b"!#$%&'*+-.^_`|~09AZ", True, id="all that a token has"),
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"x y", False, id="a space"),
        pytest.param(b"x:", False, id="a colon"),
        pytest.param(b"x\n", False, id="a line"),
        pytest.param(b"\xe9", False, id="beyond ASCII"),
    ],
)
def test_a_name_is_a_token(name: bytes, expected: bool) -> None:
    assert bool(is_name(name)) is expected


@pytest.mark.parametrize("code", range(256))
def test_a_value_has_no_control_characters_but_tabs(code: int) -> None:
    assert bool(has_control(b"a%cb" % code)) is ((code < 0x20 and code != 0x09) or code == 0x7F)
