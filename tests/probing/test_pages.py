from __future__ import annotations

import pytest

from multiserve.probing.pages import SetCookie, read_cookie, read_location, read_page

PAGE = "http://localhost:8000/admin/x"
ORIGIN = "http://localhost:8000"

REFERENCES = [
    # the page, what it refers to: kind, what has it, the URL behind the origin, and the method
    pytest.param('<a href="/y#z">', [("link", "the link", "/y", "GET")], id="link"),
    pytest.param('<a href="y"><a href="#z">', [("link", "the link", "/admin/y", "GET"),
                                              ("link", "the link", "/admin/x", "GET")], id="relative"),
    pytest.param("<A HREF=/y><a href=/y>", [("link", "the link", "/y", "GET")], id="each once"),
    pytest.param('<map><area href="/y"></map>', [("link", "the link", "/y", "GET")], id="area"),
    pytest.param('<iframe src="/y?a=1&amp;b=2">', [("link", "the frame", "/y?a=1&b=2", "GET")], id="frame"),
    pytest.param('<script src="/y"></script>', [("asset", "the script", "/y", "GET")], id="script"),
    pytest.param('<script>"<a href=/y>"</script><!-- <a href=/y> -->', [], id="what is no element"),
    pytest.param('<link rel="preload stylesheet" href="/y">', [("asset", "the file", "/y", "GET")], id="asset"),
    pytest.param('<link rel="canonical" href="/y"><link rel="next" href="/y">', [], id="no asset"),
    pytest.param('<img src="/y" srcset="/a,b.png 1x, /c.png 2x">', [
        ("asset", "the image", "/y", "GET"), ("asset", "the image", "/a,b.png", "GET"),
        ("asset", "the image", "/c.png", "GET"),
    ], id="image"),
    pytest.param('<form method="post" action="/y"><button formaction="/z">', [
        ("form", "the form", "/y", "POST"), ("form", "the form", "/z", "POST"),
    ], id="form"),
    pytest.param('<form><form action=""><form method="dialog" action="/y">', [], id="form that stays"),
    pytest.param('<form method="put" action="/y">', [("form", "the form", "/y", "GET")], id="form of no method"),
    pytest.param('<meta http-equiv="Refresh" content="0; URL=\'/y\'">', [("location", "the refresh", "/y", "GET")],
                 id="refresh"),
    pytest.param('<meta http-equiv="refresh" content="5">', [], id="refresh of the page itself"),
    pytest.param('<base href="/b/"><a href="y">', [("link", "the link", "/b/y", "GET")], id="base"),
    pytest.param('<a href="javascript:x()"><a href="mailto:x@y"><img src="data:,x"><a href="http://[">', [],
                 id="no HTTP"),
    pytest.param('<a href="/{{ y }}"><a href="/${y}"><a href="/<y>">', [], id="to be filled in"),
    pytest.param('<![bad<a href="/y">', [], id="a declaration that is none"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "expected"), REFERENCES)
def test_a_page_is_read_as_a_browser_does(page, expected) -> None:
    found = [(each.kind, each.what, each.target.removeprefix(ORIGIN), each.method) for each in read_page(page, PAGE)]
    assert found == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [("y", f"{ORIGIN}/admin/y"), ("//h/y", "http://h/y"), ("", None), ("mailto:x@y", None), ("http://[", None)],
)
def test_a_location_is_a_whole_url(location, expected) -> None:
    found = read_location(location, PAGE)
    assert (found and found.target) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("a=b; Path=/x; HttpOnly", SetCookie("a", "/x"), id="path"),
        pytest.param(" a = b;path=/", SetCookie("a", "/"), id="spaces"),
        pytest.param("a=b", None, id="no path"),
        pytest.param("a=b; Path=x", None, id="no path that counts"),
        pytest.param('a=""; Path=/', None, id="deleted"),
        pytest.param("a=b; Path=/; Max-Age=0", None, id="deleted by age"),
        pytest.param("a; Path=/", None, id="no cookie"),
    ],
)
def test_a_cookie_is_read_as_a_browser_does(header, expected) -> None:
    assert read_cookie(header) == expected
