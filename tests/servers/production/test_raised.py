import logging

import pytest

from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.dispatch.request_ids import REQUEST
from multiserve.servers.production.raised import Raised


@pytest.fixture
def raised():
    before = logging.getLogRecordFactory()
    made = Raised()
    made.watch()
    yield made
    logging.setLogRecordFactory(before)


@pytest.fixture
def log():
    made = logging.getLogger("tests.raised")
    made.propagate = False
    made.addHandler(logging.NullHandler())
    return made


def fail(log, error, message="it %s", level=logging.ERROR):
    try:
        raise error  # noqa: TRY301 (what is logged needs a traceback)
    except Exception:
        log.log(level, message, "failed", exc_info=True)


def test_an_exception_that_is_logged_is_taken_once(raised, log):
    token = REQUEST.set({MOUNT_KEY: "/shop"})
    fail(log, ValueError("why"), "it %s\nat length")
    REQUEST.reset(token)
    [found] = raised.take()
    assert (found["mount"], found["message"]) == ("/shop", "it failed")
    assert found["text"].startswith("Traceback (most recent call last):")
    assert found["text"].endswith("ValueError: why\n")
    assert raised.take() == []


def test_what_is_no_error_or_has_no_exception_is_left_out(raised, log):
    fail(log, ValueError("why"), level=logging.WARNING)
    log.error("no exception")
    assert raised.take() == []


def test_texts_are_bounded(raised, log):
    fail(log, ValueError("x" * 50_000 + "end"), "y" * 1000 + " %s")
    [found] = raised.take()
    assert len(found["text"]) == 8005
    assert found["text"].startswith("[...]x")
    assert found["text"].endswith("xend\n")
    assert found["message"] == "y" * 300


def test_the_first_of_many_are_kept(raised, log):
    for number in range(20):
        fail(log, ValueError(str(number)))
    assert [each["text"].splitlines()[-1] for each in raised.take()] == [f"ValueError: {each}" for each in range(5)]


class WorseError(Exception):
    """Has no text."""

    def __str__(self):
        raise RuntimeError


def test_what_cannot_be_formatted_harms_nobody(raised, log):
    log.handlers[:] = [logging.NullHandler()]  # that of pytest formats every record, and raises
    fail(log, ValueError("why"), "it %d")
    fail(log, WorseError())
    [found] = raised.take()
    assert found["text"].endswith("WorseError: <exception str() failed>\n")
