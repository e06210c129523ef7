from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.mounts.static.conditions import Validators, check_preconditions, requested_range

NOW = 1_700_000_000
VALIDATORS = Validators('"one"', NOW)
BEFORE, SAME, AFTER = (formatdate(NOW + seconds, usegmt=True) for seconds in (-1, 0, 1))


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        pytest.param({}, 200, id="none"),
        pytest.param({"IF_MATCH": '"one"'}, 200, id="the tag"),
        pytest.param({"IF_MATCH": " * "}, 200, id="any tag"),
        pytest.param({"IF_MATCH": '"a,b", "one"'}, 200, id="one of the tags"),
        pytest.param({"IF_MATCH": 'W/"one"'}, 412, id="a weak tag"),
        pytest.param({"IF_MATCH": "one"}, 412, id="a tag without quotes"),
        pytest.param({"IF_MATCH": ""}, 412, id="no tag"),
        pytest.param({"IF_UNMODIFIED_SINCE": SAME}, 200, id="unmodified since then"),
        pytest.param({"IF_UNMODIFIED_SINCE": AFTER}, 200, id="unmodified since later"),
        pytest.param({"IF_UNMODIFIED_SINCE": BEFORE}, 412, id="modified since"),
        pytest.param({"IF_UNMODIFIED_SINCE": "yesterday"}, 200, id="a date that is none"),
        pytest.param(
            {"IF_UNMODIFIED_SINCE": f"Mon, 01 Jan {'9' * 5000} 00:00:00 GMT"}, 200, id="a year of 5000 digits"
        ),
        pytest.param({"IF_MATCH": '"one"', "IF_UNMODIFIED_SINCE": BEFORE}, 200, id="the tag counts before the date"),
        pytest.param({"IF_NONE_MATCH": 'W/"one"'}, 304, id="a weak tag that is known"),
        pytest.param({"IF_NONE_MATCH": "*"}, 304, id="any tag is known"),
        pytest.param({"IF_NONE_MATCH": '"two"'}, 200, id="another tag is known"),
        pytest.param({"IF_MODIFIED_SINCE": SAME}, 304, id="not modified since then"),
        pytest.param({"IF_MODIFIED_SINCE": BEFORE}, 200, id="modified"),
        pytest.param({"IF_NONE_MATCH": '"two"', "IF_MODIFIED_SINCE": SAME}, 200, id="no date beside a tag"),
        pytest.param({"IF_MATCH": '"two"', "IF_NONE_MATCH": '"one"'}, 412, id="the precondition comes first"),
        pytest.param({"IF_UNMODIFIED_SINCE": BEFORE, "IF_NONE_MATCH": '"one"'}, 412, id="so does its date"),
    ],
)
def test_preconditions(conditions: dict[str, str], status: int) -> None:
    environ = {f"HTTP_{name}": value for name, value in conditions.items()}
    assert check_preconditions(environ, VALIDATORS) == HTTPStatus(status)


@pytest.mark.parametrize(
    ("wanted", "size", "expected"),
    [
        pytest.param("bytes=0-3", 10, range(4), id="from the start"),
        pytest.param("bytes=4-", 10, range(4, 10), id="to the end"),
        pytest.param("bytes=4-99", 10, range(4, 10), id="beyond the end"),
        pytest.param("bytes=-3", 10, range(7, 10), id="the last"),
        pytest.param("bytes=-1000", 10, range(10), id="the last, and more than there is"),
        pytest.param(f"bytes=-{'0' * 5000}3", 10, range(7, 10), id="with zeros in front"),
        pytest.param("bytes=-0", 10, range(0), id="the last none"),
        pytest.param("bytes=10-", 10, range(0), id="from the end"),
        pytest.param("bytes=0-", 0, range(0), id="of an empty file"),
        pytest.param("bytes=-1", 0, None, id="the last of an empty file"),
        pytest.param("bytes=3-2", 10, None, id="backwards"),
        pytest.param("bytes=0-1,3-4", 10, None, id="several"),
        pytest.param("BYTES = 0-1", 10, range(2), id="loosely spelt"),
        pytest.param("bytes=\u0663-", 10, None, id="other digits"),
        pytest.param("lines=0-1", 10, None, id="another unit"),
        pytest.param("", 10, None, id="nothing"),
    ],
)
def test_ranges(wanted: str, size: int, expected: range | None) -> None:
    environ = {"REQUEST_METHOD": "GET", "HTTP_RANGE": wanted}
    assert requested_range(environ, VALIDATORS, size) == expected
    assert requested_range({**environ, "REQUEST_METHOD": "HEAD"}, VALIDATORS, size) is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param('"one"', range(2), id="the tag"),
        pytest.param('W/"one"', None, id="a weak tag"),
        pytest.param('"two"', None, id="another tag"),
        pytest.param('"one", "two"', None, id="two tags"),
        pytest.param("*", None, id="any tag"),
        pytest.param(SAME, range(2), id="the date"),
        pytest.param(BEFORE, None, id="an earlier date"),
        pytest.param(AFTER, None, id="a later date"),
        pytest.param("yesterday", None, id="neither"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_range_of_this_version_alone(condition: str, expected: range | None) -> None:
    environ = {"REQUEST_METHOD": "GET", "HTTP_RANGE": "bytes=0-1", "HTTP_IF_RANGE": condition}
    assert requested_range(environ, VALIDATORS, 10) == expected


VALUES = st.sampled_from(['"one"', SAME, "*", "bytes=1-", "Mon, 99 Foo"]) | st.text(
    st.characters(max_codepoint=255), max_size=40
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["IF_MATCH", "IF_NONE_MATCH", "IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE", "IF_RANGE", "RANGE"]
        ).map("HTTP_{}".format),
        VALUES,
    )
)
def test_nothing_that_a_client_sends_raises(headers: dict[str, str]) -> None:
    environ = {"REQUEST_METHOD": "GET", **headers}
    assert check_preconditions(environ, VALIDATORS) in {200, 304, 412}
    requested_range(environ, VALIDATORS, 10)
