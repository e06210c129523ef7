"""Compares the answers to one request in several processes, leaving out what differs from one request to the next."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Literal, NamedTuple, TypeAlias

from multiserve.probing.exchange import Received, describe_error
from multiserve.shortening import shorten

What: TypeAlias = Literal["error", "recovery", "status", "location", "type", "page", "more", "cookie"]

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_BETWEEN = re.compile(r"[<>{}\[\],;\n]")
_NUMBER = re.compile(r"\d+")
_TEXTS = ("text/", "application/json", "application/xml", "application/xhtml", "application/javascript")
_LONGEST = 60  # characters of a page that a message shows


class Answer(NamedTuple):
    """The answer to one request, as far as it is compared: every number counts as 0.

    Attributes:
        status: None if there was none.
        error: What the application raised; "" if nothing.
        location: Where it redirects to, without the query.
        media_type: That of its Content-Type.
        title: That of an HTML page.
        pieces: What its body consists of, if it is a text.
        cookies: The names of the cookies that it sets.
    """

    status: int | None
    error: str
    location: str
    media_type: str
    title: str
    pieces: frozenset[str]
    cookies: frozenset[str]

    @property
    def is_failure(self) -> bool:
        """Whether the application has failed."""
        return bool(self.error) or self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


class Difference(NamedTuple):
    """What is different in one answer.

    Attributes:
        what: Its kind.
        marks: What to recognise it by when it happens again.
        here: The answer beside other mounts, as the middle of a sentence.
        alone: The answer of the mount alone, likewise.
    """

    what: What
    marks: frozenset[str]
    here: str
    alone: str

    def is_like(self, other: Difference) -> bool:
        """Return whether another difference has the same cause, as far as one can tell."""
        return self.what == other.what and not self.marks.isdisjoint(other.marks)


def read_answer(received: Received) -> Answer:
    """Read a response."""
    media_type = received.media_type
    is_text = not received.is_encoded and media_type.startswith(_TEXTS)
    text = bytes(received.body).decode("utf-8", "replace") if is_text else ""
    title = _TITLE.search(text) if "html" in media_type else None
    cookies = (value.partition("=")[0].strip() for name, value in received.headers if name == "set-cookie")
    return Answer(
        status=received.status,
        error=" ".join(describe_error(received.error).split()) if received.error else "",
        location=received.header("location").partition("?")[0],
        media_type=media_type,
        title=" ".join(html.unescape(title[1]).split()) if title else "",
        pieces=frozenset(_without_numbers(piece.strip()) for piece in _BETWEEN.split(text)) - {""},
        cookies=frozenset(map(_without_numbers, cookies)),
    )


def _without_numbers(text: str) -> str:
    return _NUMBER.sub("0", text)


def find_difference(alone: Sequence[Answer], here: Answer) -> Difference | None:
    """Return what is different in an answer; None if nothing is, or nothing that can be relied on.

    Args:
        alone: The answers to the same request in processes that have the mount alone; what differs between them is
            left out.
        here: The answer in a process that has other mounts as well.
    """
    return next(_differences(alone, here), None)


def _differences(alone: Sequence[Answer], here: Answer) -> Iterator[Difference]:
    first = alone[0]
    if len({(each.is_failure, each.status) for each in alone}) > 1:
        return
    if first.is_failure or here.is_failure:
        if first.is_failure != here.is_failure:
            what: What = "error" if here.is_failure else "recovery"
            yield Difference(what, frozenset({what}), _outcome(here), _outcome(first))
        return
    if first.status != here.status:
        yield Difference("status", frozenset({str(here.status)}), _outcome(here), _outcome(first))
        return
    for what, attribute, shown in (
        ("location", "location", 'it redirects to "{}"'),
        ("type", "media_type", "its Content-Type is {}"),
    ):
        before, now = {_without_numbers(getattr(each, attribute)) for each in alone}, getattr(here, attribute)
        if len(before) == 1 and (mark := _without_numbers(now)) not in before:
            texts = [shown.format(text or "missing") for text in (now, getattr(first, attribute))]
            yield Difference(what, frozenset({mark}), *texts)
            return
    yield from _of_pages(alone, here)
    yield from _of_cookies(alone, here)


def _outcome(answer: Answer) -> str:
    return answer.error or f"it answers {answer.status}"


def _of_pages(alone: Sequence[Answer], here: Answer) -> Iterator[Difference]:
    steady = frozenset.intersection(*(each.pieces for each in alone))
    seen = frozenset.union(*(each.pieces for each in alone))
    lost, more = steady - here.pieces, here.pieces - seen
    is_steady = steady == seen
    titles = {_without_numbers(each.title) for each in alone}
    if len(titles) == 1 and (title := _without_numbers(here.title)) not in titles and lost:
        marks = frozenset({title})
        yield Difference("page", marks, f'the title of its page is "{here.title}"', f'it is "{alone[0].title}"')
    elif lost and (more or is_steady):
        marks = frozenset({*(f"-{each}" for each in lost)})
        yield Difference("page", marks, f'its page lacks "{_longest(lost)}"', "it has that")
    elif more and is_steady:
        marks = frozenset(f"+{each}" for each in more)
        yield Difference("more", marks, f'its page has "{_longest(more)}"', "it does not")


def _longest(pieces: frozenset[str]) -> str:
    """Return what tells a reader most."""
    return shorten(max(sorted(pieces), key=lambda piece: min(len(piece), _LONGEST)), _LONGEST)


def _of_cookies(alone: Sequence[Answer], here: Answer) -> Iterator[Difference]:
    steady = frozenset.intersection(*(each.cookies for each in alone))
    seen = frozenset.union(*(each.cookies for each in alone))
    for name in sorted(here.cookies - seen):
        yield Difference("cookie", frozenset({f"+{name}"}), f'it sets the cookie "{name}"', "it does not")
    for name in sorted(steady - here.cookies):
        yield Difference("cookie", frozenset({f"-{name}"}), f'it does not set the cookie "{name}"', "it does")
