"""Conditional requests and ranges (RFC 9110, sections 13 and 14): what a request asks of one file."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from multiserve._types import WSGIEnvironment

_ETAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_RANGE = re.compile(r"\s*bytes\s*=\s*(?:([0-9]+)-([0-9]*)|-([0-9]+))\s*", re.IGNORECASE)
_DIGITS = 18  # of a position: no file is as long, and Python refuses to read thousands of digits


class Validators(NamedTuple):
    """What tells one version of a file from another (RFC 9110, section 8.8).

    Attributes:
        etag: A strong entity tag, in quotes.
        modified: When it was modified, in whole seconds of Unix time.
    """

    etag: str
    modified: int

    @property
    def last_modified(self) -> str:
        """The date as the header Last-Modified has it."""
        return formatdate(self.modified, usegmt=True)


def check_preconditions(environ: WSGIEnvironment, validators: Validators) -> HTTPStatus:
    """Return the status that the preconditions of a GET or HEAD lead to: 200, 304 or 412 (section 13.2.2)."""
    if (tags := environ.get("HTTP_IF_MATCH")) is not None:
        if not _names(tags, validators.etag, weak=False):
            return HTTPStatus.PRECONDITION_FAILED
    elif (date := _read_date(environ.get("HTTP_IF_UNMODIFIED_SINCE", ""))) is not None and validators.modified > date:
        return HTTPStatus.PRECONDITION_FAILED
    if (tags := environ.get("HTTP_IF_NONE_MATCH")) is not None:
        if _names(tags, validators.etag, weak=True):
            return HTTPStatus.NOT_MODIFIED
    elif (date := _read_date(environ.get("HTTP_IF_MODIFIED_SINCE", ""))) is not None and validators.modified <= date:
        return HTTPStatus.NOT_MODIFIED
    return HTTPStatus.OK


def requested_range(environ: WSGIEnvironment, validators: Validators, size: int) -> range | None:
    """Return which bytes of a file a request asks for (section 14.2).

    Args:
        environ: The request.
        validators: Those of the file.
        size: Its length in bytes.

    Returns:
        The positions of the bytes; an empty range where the file has none of them; None for the whole file, which also
        answers more ranges than one, ranges of another unit, and those of another version of the file.
    """
    match = _RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
    if match is None or environ["REQUEST_METHOD"] != "GET" or not _is_of_range(environ, validators):
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        length = _read_position(suffix)
        if length and not size:
            return None  # all of an empty file, which no Content-Range can say
        return range(max(size - length, 0), size)
    begin, end = _read_position(first), _read_position(last) if last else size
    if end < begin and last:
        return None  # no range at all
    return range(begin, min(end + 1, size)) if begin < size else range(0)


def _is_of_range(environ: WSGIEnvironment, validators: Validators) -> bool:
    """Return whether If-Range, if there is one, names this version (section 13.1.5); a weak entity tag never does."""
    condition: str | None = environ.get("HTTP_IF_RANGE")
    if condition is None:
        return True
    condition = condition.strip(" \t")
    return condition == validators.etag or _read_date(condition) == validators.modified


def _names(tags: str, etag: str, *, weak: bool) -> bool:
    """Return whether a list of entity tags has one, compared weakly or strongly (section 8.8.3.2)."""
    if tags.strip(" \t") == "*":
        return True
    return any(each == etag and (weak or not mark) for mark, each in _ETAG.findall(tags))


def _read_date(text: str) -> int | None:
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):  # a date that is none does not count
        return None


def _read_position(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _DIGITS else 10**_DIGITS
