from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multiserve.mounts.redirects import Redirect, with_slash_asgi, with_slash_wsgi

Response = tuple[str, dict[str, str], bytes]


def get_wsgi(application: Any, script_name: str, path_info: str, query: str = "", method: str = "GET") -> Response:
    """Give status, headers and body over WSGI; the paths are text."""
    told: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": script_name.encode().decode("latin-1"),
        "PATH_INFO": path_info.encode().decode("latin-1"),
        "QUERY_STRING": query,
    }
    body = b"".join(application(environ, lambda status, headers: told.extend((status, dict(headers)))))
    return told[0], told[1], body


def get_asgi(application: Any, script_name: str, path_info: str, query: str = "", method: str = "GET") -> Response:
    """Give the same over ASGI."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "root_path": script_name,
        "path": script_name + path_info,
        "query_string": query.encode(),
    }

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(scope, None, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return str(sent[0]["status"]), headers, b"".join(message.get("body", b"") for message in sent[1:])


def locations(redirect: Redirect, *request: str) -> set[str]:
    """Give where both faces redirect to, which has to be one place."""
    return {
        get_wsgi(redirect.wsgi, *request)[1]["Location"],
        get_asgi(redirect.asgi, *request)[1]["location"],
    }


@pytest.mark.parametrize(
    ("target", "prefix", "request_", "location"),
    [
        pytest.param("/new", "/old", ("/old", ""), "/new", id="the bare prefix"),
        pytest.param("/new", "/old", ("/old", "/"), "/new/", id="its slash"),
        pytest.param("/new", "/old", ("/old", "/a/b"), "/new/a/b", id="the rest of the path"),
        pytest.param("/new", "/old", ("/old", "/a", "b=c&d=%20"), "/new/a?b=c&d=%20", id="the query as it is"),
        pytest.param("/new/", "/old", ("/old", "/a"), "/new/a", id="a slash at the end of the target"),
        pytest.param("/new/", "/old", ("/old", ""), "/new/", id="which stays where nothing follows"),
        pytest.param("https://example.com", "", ("", ".evil.test/"), "https://example.com/.evil.test/", id="no slash"),
        pytest.param("https://example.com", "", ("", "@evil.test/"), "https://example.com/@evil.test/", id="a user"),
        pytest.param("https://example.com", "", ("", "*"), "https://example.com/*", id="OPTIONS *"),
        pytest.param("/new", "/old", ("/old", "/a", "q=[1]"), "/new/a?q=[1]", id="brackets in the query"),
        pytest.param("/", "/old", ("/old", "/a"), "/a", id="to the root"),
        pytest.param("/", "/old", ("/old", ""), "/", id="bare, to the root"),
        pytest.param("/", "/old", ("/old", "//evil.test/x"), "/evil.test/x", id="a host in the rest of the path"),
        pytest.param("/", "/old", ("/old", "///evil.test"), "/evil.test", id="with three slashes"),
        pytest.param("/", "/old", ("/old", "/\\evil.test"), "/%5Cevil.test", id="with a backslash"),
        pytest.param("/new", "/old", ("/old", "//evil.test"), "/new//evil.test", id="slashes stay where they are safe"),
        pytest.param("/new", "", ("", "/a"), "/new/a", id="from the root"),
        pytest.param("/new", "/old", ("/outer/old", "/a"), "/outer/new/a", id="below an outer prefix"),
        pytest.param("/", "/old", ("/outer/old", "//evil"), "/outer//evil", id="a host below an outer prefix"),
        pytest.param("/café", "/old", ("/old", "/é è"), "/caf%C3%A9/%C3%A9%20%C3%A8", id="text beyond ASCII"),
        pytest.param("/new", "/old", ("/old", "/a?b#c%"), "/new/a%3Fb%23c%25", id="marks that were escaped"),
        pytest.param("/a%2Fb", "/old", ("/old", ""), "/a%2Fb", id="escapes in the target"),
        pytest.param("/new", "/old", ("/old", "/a\r\nX: y"), "/new/a%0D%0AX:%20y", id="line ends in the path"),
        pytest.param("/new", "/old", ("/old", "", "a\r\nb"), "/new?a%0D%0Ab", id="line ends in the query"),
        pytest.param("https://example.com", "/old", ("/old", "/a", "b"), "https://example.com/a?b", id="another host"),
        pytest.param("https://example.com/x/", "/old", ("/old", "//e"), "https://example.com/x//e", id="a path there"),
        pytest.param("https://example.com", "", ("/outer", "/a"), "https://example.com/a", id="no outer prefix there"),
    ],
)
def test_a_redirect_keeps_the_rest_of_the_path_and_the_query(
    target: str, prefix: str, request_: tuple[str, ...], location: str
) -> None:
    assert locations(Redirect(target, 308, prefix), *request_) == {location}


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@pytest.mark.parametrize(
    ("prefix", "target", "location"),
    [
        pytest.param("/old", "/old/a%2Fb%20c", "/new/a%2Fb%20c", id="escapes as the client wrote them"),
        pytest.param("/old", "/%6Fld/%FF", "/new/%FF", id="bytes that are no text, and a prefix in escapes"),
        pytest.param("/old", "http://example.com/old/a%2fb", "/new/a%2fb", id="an absolute target"),
        pytest.param("/old", "/outer/old/a%2Fb", "/new/a%2Fb", id="below a prefix that a proxy has stripped"),
        pytest.param("/old", "/something/else", "/new/a/b", id="a target that does not fit"),
    ],
)
def test_the_rest_stays_as_the_client_has_escaped_it(prefix: str, target: str, location: str) -> None:
    path = unquote_to_bytes(target).partition(b"/old")[2] or b"/a/b"
    redirect = Redirect("/new", 308, prefix)
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": prefix, "PATH_INFO": path.decode("latin-1"), "RAW_URI": target}
    told: list[Any] = []
    redirect.wsgi(environ, lambda status, headers: told.extend(headers))
    assert dict(told)["Location"] == location


@given(st.sampled_from(["/", "/new", "/a/b/", "https://example.com", "https://example.com/x/"]), TEXT, TEXT)
@example("https://example.com", "@evil.test", "")
@example("/", "/evil.test", "")
def test_no_path_and_no_query_lead_to_another_host(target: str, path: str, query: str) -> None:
    redirect = Redirect(target, 302, "/old")
    location = get_wsgi(redirect.wsgi, "/old", path, query.encode().decode("latin-1"))[1]["Location"]
    found = urlsplit(urljoin("https://example.com/old/", location))
    assert (found.scheme, found.netloc) == ("https", "example.com")
    assert location.isascii()
    assert location.isprintable()
    assert unquote(location.partition("?")[0]).endswith(path.lstrip("/"))


@pytest.mark.parametrize(
    ("status", "line"),
    [
        pytest.param(301, "301 Moved Permanently", id="301"),
        pytest.param(302, "302 Found", id="302"),
        pytest.param(303, "303 See Other", id="303"),
        pytest.param(307, "307 Temporary Redirect", id="307"),
        pytest.param(308, "308 Permanent Redirect", id="308"),
    ],
)
def test_a_redirect_has_its_status(status: int, line: str) -> None:
    redirect = Redirect("/new", status, "/old")
    told, headers, body = get_wsgi(redirect.wsgi, "/old", "", method="POST")
    assert (told, body) == (line, f"{line[4:]}: /new\n".encode())
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert get_asgi(redirect.asgi, "/old", "")[0] == str(status)
    assert get_wsgi(redirect.wsgi, "/old", "", method="HEAD")[2] == b""


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", {})
    return [b"the application"]


async def asgi_application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the application"})


@pytest.mark.parametrize(
    ("method", "request_", "location"),
    [
        pytest.param("GET", ("/admin", ""), "./admin/", id="the bare prefix"),
        pytest.param("HEAD", ("/admin", "", "a=b"), "./admin/?a=b", id="with a query"),
        pytest.param("GET", ("/a/b:c", ""), "./b:c/", id="a colon, which is no scheme"),
        pytest.param("GET", ("/café", ""), "./caf%C3%A9/", id="text beyond ASCII"),
        pytest.param("POST", ("/admin", ""), None, id="POST"),
        pytest.param("OPTIONS", ("/admin", ""), None, id="OPTIONS"),
        pytest.param("GET", ("/admin", "/"), None, id="the slash is there"),
        pytest.param("GET", ("/admin", "/x"), None, id="below the prefix"),
        pytest.param("GET", ("", ""), None, id="the root"),
    ],
)
def test_the_slash_is_added_to_the_bare_prefix(method: str, request_: tuple[str, ...], location: str | None) -> None:
    wsgi = get_wsgi(with_slash_wsgi(application), *request_, method=method)
    asgi = get_asgi(with_slash_asgi(asgi_application), *request_, method=method)
    assert (wsgi[0][:3], wsgi[1].get("Location")) == ("308" if location else "200", location)
    assert (asgi[0], asgi[1].get("location")) == ("308" if location else "200", location)
    assert (wsgi[2] == asgi[2] == b"the application") == (location is None)


def test_a_websocket_and_a_lifespan_pass_the_slash_by() -> None:
    seen: list[str] = []

    async def note(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    redirecting = with_slash_asgi(note)
    asyncio.run(redirecting({"type": "websocket", "path": "/x", "root_path": "/x"}, None, None))
    asyncio.run(redirecting({"type": "lifespan"}, None, None))
    assert seen == ["websocket", "lifespan"]
