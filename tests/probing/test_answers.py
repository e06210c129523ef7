from __future__ import annotations

import pytest

from multiserve.probing.answers import find_difference, read_answer
from multiserve.probing.exchange import Received

HTML, TEXT, PNG = "text/html; charset=utf-8", "text/plain", "image/png"
PLAIN = Received(200, [("content-type", TEXT)], bytearray(b"hello"))


def page(body, kind=HTML, status=200, *headers):
    return Received(status, [("content-type", kind), *headers], bytearray(body.encode()))


def redirect(location):
    return Received(302, [("location", location)])


def cookie(name):
    return page("hello", TEXT, 200, ("set-cookie", f"{name}=1; Path=/"))


def failed(text="no"):
    return Received(error=ValueError(text))


DIFFERENCES = [
    # the answers alone, the one beside others, what is different
    pytest.param([PLAIN, PLAIN], PLAIN, None, id="nothing"),
    pytest.param([PLAIN], page("hello", TEXT, 404), ("status", "it answers 404", "it answers 200"), id="a status"),
    pytest.param([PLAIN], failed("a\n b"), ("error", "a b", "it answers 200"), id="an error"),
    pytest.param([PLAIN], page("", TEXT, 503), ("error", "it answers 503", "it answers 200"), id="a failure"),
    pytest.param([failed()], PLAIN, ("recovery", "it answers 200", "no"), id="a recovery"),
    pytest.param([failed("a")], failed("b"), None, id="two errors"),
    pytest.param([PLAIN, failed()], page("", TEXT, 404), None, id="a status that is never the same"),
    pytest.param(
        [redirect("/a/login?next=1")], redirect("/b/login?next=1"),
        ("location", 'it redirects to "/b/login"', 'it redirects to "/a/login"'), id="a redirect",
    ),
    pytest.param([redirect("/a?state=x")], redirect("/a?state=y"), None, id="the query of a redirect"),
    pytest.param([redirect("/a/1")], redirect("/a/2"), None, id="the number in a redirect"),
    pytest.param([redirect("/a"), redirect("/b")], redirect("/c"), None, id="a redirect that is never the same"),
    pytest.param(
        [page("{}", "application/json")], page("{}", TEXT),
        ("type", "its Content-Type is text/plain", "its Content-Type is application/json"), id="a Content-Type",
    ),
    pytest.param(
        [page("{}")], Received(200, [], bytearray(b"{}")),
        ("type", "its Content-Type is missing", "its Content-Type is text/html"), id="no Content-Type",
    ),
    pytest.param(
        [page("<title>My\n blog</title>")], page("<title>Shop &amp; more</title>"),
        ("page", 'the title of its page is "Shop & more"', 'it is "My blog"'), id="a title",
    ),
    pytest.param([page("<title>Blog 1</title>")], page("<title>Blog 2</title>"), None, id="the number in a title"),
    pytest.param(
        [page("<p>one<p>what is written")], page("<p>one"), ("page", 'its page lacks "what is written"', "it has that"),
        id="a page with less",
    ),
    pytest.param(
        [page("<p>one")], page("<p>one<p>and more"), ("more", 'its page has "and more"', "it does not"),
        id="a page with more",
    ),
    pytest.param(
        [page('{"a": "b"}', "application/json")], page('{"a": "c"}', "application/json"),
        ("page", 'its page lacks ""a": "b""', "it has that"), id="JSON",
    ),
    pytest.param([page("<p>one<p>two")], page("<p>two<p>one"), None, id="another order"),
    pytest.param([page("<p>at 10:33")], page("<p>at 10:34"), None, id="the time"),
    pytest.param([page("<i>x1</i>token ab"), page("<i>x1</i>token cd")], page("<i>x1</i>token ef"), None, id="a token"),
    pytest.param(
        [page("<i>x</i>token ab"), page("<i>x</i>token cd")], page("<i>y</i>token ef"),
        ("page", 'its page lacks "x"', "it has that"), id="a page with a token",
    ),
    pytest.param([page("a", PNG)], page("b", PNG), None, id="an image"),
    pytest.param(
        [page("a", HTML, 200, ("content-encoding", "br"))], page("b", HTML, 200, ("content-encoding", "br")), None,
        id="a compressed page",
    ),
    pytest.param([PLAIN], cookie("sid"), ("cookie", 'it sets the cookie "sid"', "it does not"), id="a cookie"),
    pytest.param([cookie("sid")], PLAIN, ("cookie", 'it does not set the cookie "sid"', "it does"), id="no cookie"),
    pytest.param([cookie("sid"), PLAIN], PLAIN, None, id="a cookie of the first request"),
]  # fmt: skip


@pytest.mark.parametrize(("alone", "here", "expected"), DIFFERENCES)
def test_what_is_different_is_told_and_nothing_else(alone, here, expected):
    found = find_difference([*map(read_answer, alone)], read_answer(here))
    assert (found and (found.what, found.here, found.alone)) == expected


def test_what_a_message_shows_of_a_page_is_short():
    found = find_difference([read_answer(page("<p>" + "word " * 100))], read_answer(page("")))
    assert found is not None
    assert len(found.here) < 90


SAME = [
    pytest.param(page("<p>c<p>d"), page("<p>c<p>d"), True, id="the same page"),
    pytest.param(page("<p>b"), page("<p>a"), False, id="another part of a page"),
    pytest.param(page("<p>a<p>b", HTML, 404), page("<p>a<p>b", HTML, 404), True, id="the same status"),
    pytest.param(page("<p>a<p>b", HTML, 404), page("<p>a<p>b", HTML, 410), False, id="another status"),
    pytest.param(failed("a"), failed("b"), True, id="two errors"),
    pytest.param(failed("a"), page("<p>b"), False, id="an error and a page"),
]


@pytest.mark.parametrize(("first", "second", "is_like"), SAME)
def test_whether_two_differences_have_one_cause(first, second, is_like):
    alone = [read_answer(page("<p>a<p>b"))]
    one, other = (find_difference(alone, read_answer(each)) for each in (first, second))
    assert one is not None
    assert other is not None
    assert one.is_like(other) is is_like
