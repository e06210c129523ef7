from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.reports.routes import explanation_as_text
from multiserve.routes.explain import Explanation, explain

FILE = """
[mounts]
"/" = "storefront:app"
"/admin" = "backoffice:app"
"/admin/users" = "users:app"
"/café" = "cafe:app"
"/wsgi" = { app = "old:app", interface = "wsgi" }
"/asgi" = { app = "new:app", interface = "asgi" }
"api.example.com" = "api:app"
"api.example.com/v2" = "api2:app"
"*.example.com/blog" = "blog:app"
"bücher.example" = "books:app"
"""

CASES = [
    pytest.param("/", "/", "", "/", "the root is the only prefix that matches", None, id="the root"),
    pytest.param(
        "/admin/x?a=/admin/users#f", "/admin", "/admin", "/x", '"/admin" is the longest prefix that matches', "/",
        id="a path with query and fragment",
    ),
    pytest.param(
        "http://localhost:8000/admin/users", "/admin/users", "/admin/users", "",
        '"/admin/users" is the longest prefix that matches', "/admin", id="a whole URL",
    ),
    pytest.param(
        "/caf%C3%A9/%C3%A9", "/café", "/café", "/é", '"/café" is the longest prefix that matches', "/",
        id="percent-escapes",
    ),
    pytest.param("/café", "/café", "/café", "", '"/café" is the longest prefix that matches', "/", id="plain text"),
    pytest.param("/%ff", "/", "", "/\\xff", "the root is the only prefix that matches", None, id="not UTF-8"),
    pytest.param(
        "https://API.example.com:8443/v2/x", "api.example.com/v2", "/v2", "/x",
        'the host is "api.example.com", and "/v2" is the longest prefix under it', "api.example.com",
        id="a host, the longest prefix under it",
    ),
    pytest.param(
        "api.example.com/other", "api.example.com", "", "/other",
        'the host is "api.example.com", and the root is the only prefix under it that matches', "/",
        id="a host without a scheme",
    ),
    pytest.param(
        "http://x.example.com/blog/1", "*.example.com/blog", "/blog", "/1",
        'the host matches "*.example.com", and "/blog" is the only prefix under it that matches', "/",
        id="a wildcard",
    ),
    pytest.param("//admin", "/", "", "//admin", "the root is the only prefix that matches", None, id="two slashes"),
    pytest.param(
        "https://api.example.com", "api.example.com", "", "/",
        'the host is "api.example.com", and the root is the only prefix under it that matches', "/",
        id="a host without a path, as clients ask for it",
    ),
    pytest.param(
        "http://bücher.example/x", "xn--bcher-kva.example", "", "/x",
        'the host is "xn--bcher-kva.example", and the root is the only prefix under it that matches', "/",
        id="a host as people write it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("url", "mount", "script_name", "path_info", "reason", "runner_up"), CASES)
def test_a_url_is_explained(
    write_config: Callable[[str], Path],
    url: str,
    mount: str,
    script_name: str,
    path_info: str,
    reason: str,
    runner_up: str | None,
) -> None:
    result = explain(load_config(write_config(FILE)), url)
    assert (str(result.mount.key) if result.mount else None) == mount
    assert (result.script_name, result.path_info, result.reason) == (script_name, path_info, reason)
    assert (str(result.runner_up.key) if result.runner_up else None) == runner_up


SEEN = [
    pytest.param("/admin/x?a=1", "/admin", "/x", "/admin", "/admin/x", id="either interface"),
    pytest.param("/admin", "/admin", "", "/admin", "/admin", id="the bare prefix"),
    pytest.param("/x", "", "/x", "", "/x", id="the root"),
    pytest.param("/caf%C3%A9/%C3%A9%2F", "/café", "/é/", "/café", "/café/é/", id="percent-escapes"),
    pytest.param("/%ff", "", "/\\xff", "", "/\ufffd", id="not UTF-8"),
    pytest.param("wss://api.example.com/v2/x", "/v2", "/x", "/v2", "/v2/x", id="a host"),
    pytest.param("/wsgi/x", "/wsgi", "/x", None, None, id="a mount that is declared WSGI"),
    pytest.param("/asgi/x", None, None, "/asgi", "/asgi/x", id="a mount that is declared ASGI"),
]


@pytest.mark.parametrize(("url", "script_name", "path_info", "root_path", "path"), SEEN)
def test_what_the_application_sees_is_told_for_the_interfaces_that_it_may_have(
    write_config: Callable[[str], Path],
    url: str,
    script_name: str | None,
    path_info: str | None,
    root_path: str | None,
    path: str | None,
) -> None:
    result = explain(load_config(write_config(FILE)), url)
    assert (result.script_name, result.path_info) == (script_name, path_info)
    assert (result.root_path, result.path) == (root_path, path)


METHODS = [
    pytest.param("/admin", "", "GET", id="none asked"),
    pytest.param("/admin", "post", "POST", id="in small letters"),
    pytest.param("/admin", "websocket", "WEBSOCKET", id="a WebSocket"),
    pytest.param("ws://localhost/admin", "", "WEBSOCKET", id="a WebSocket by its URL"),
    pytest.param("wss://localhost/admin", "WEBSOCKET", "WEBSOCKET", id="a WebSocket by both"),
]


@pytest.mark.parametrize(("url", "asked", "method"), METHODS)
def test_the_method_is_the_one_asked_for_or_that_of_the_url(
    write_config: Callable[[str], Path], url: str, asked: str, method: str
) -> None:
    assert explain(load_config(write_config(FILE)), url, asked).method == method


REDIRECTS = [
    pytest.param("/old/x?a=1", "GET", "/new/x?a=1", 301, id="a mount that redirects"),
    pytest.param("/old/x", "POST", "/new/x", 301, id="a mount that redirects any method"),
    pytest.param("/old/x", "WEBSOCKET", None, 0, id="no WebSocket is redirected"),
    pytest.param("/wiki", "HEAD", "./wiki/", 308, id="the slash"),
    pytest.param("/wiki", "POST", None, 0, id="no slash where something is sent"),
    pytest.param("/wiki", "WEBSOCKET", None, 0, id="no slash for a WebSocket"),
    pytest.param("/wiki/", "GET", None, 0, id="the slash is there"),
    pytest.param("/moved", "GET", "./moved/", 308, id="the slash of a mount that redirects"),
    pytest.param("/moved/x", "GET", "/new/x", 308, id="what is below a mount that redirects"),
]


@pytest.mark.parametrize(("url", "method", "location", "status"), REDIRECTS)
def test_a_redirect_of_the_mount_itself_depends_on_the_method(
    write_config: Callable[[str], Path], url: str, method: str, location: str | None, status: int
) -> None:
    text = (
        '[mounts]\n"/old" = { redirect = "/new", status = 301 }\n"/wiki" = { app = "wiki:app", slash = "redirect" }\n'
        '"/moved" = { redirect = "/new", slash = "redirect" }\n'
    )
    result = explain(load_config(write_config(text)), url, method)
    assert (result.location, result.status) == (location, status)


def test_what_reaches_the_mount_over_wsgi_is_kept(write_config: Callable[[str], Path]) -> None:
    environ = explain(load_config(write_config(FILE)), "wss://api.example.com/v2/%ff?a=1").environ
    assert environ == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/v2",
        "PATH_INFO": "/\xff",
        "QUERY_STRING": "a=1",
        "HTTP_HOST": "api.example.com",
        "wsgi.url_scheme": "wss",
        "multiserve.mount": "api.example.com/v2",
    }


def test_a_websocket_is_not_opened_with_another_method(write_config: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        explain(load_config(write_config(FILE)), "ws://localhost/x", "POST")
    assert str(caught.value) == (
        "ws://localhost/x: a WebSocket is not opened with POST\n    Write http:// or https://."
    )


def test_a_url_that_no_mount_takes(write_config: Callable[[str], Path]) -> None:
    config = load_config(write_config('[mounts]\n"/admin" = "backoffice:app"'))
    assert explain(config, "/other") == Explanation(
        url="/other", mount=None, reason="no mount has a prefix of this path, so the answer is 404"
    )


NO_URLS = [
    pytest.param("http://[::1/x", "http://[::1/x: not a URL: Invalid IPv6 URL", id="a bracket that is not closed"),
    pytest.param(
        "admin/users",
        'admin/users: neither a URL nor a path\n    Write a whole URL, or "/admin/users" for a path.',
        id="a path without its slash",
    ),
    pytest.param(
        "ftp://example.com/x",
        'ftp://example.com/x: "ftp" is no scheme of the web\n    Write http:// or https://.',
        id="another scheme",
    ),
]


@pytest.mark.parametrize(("url", "message"), NO_URLS)
def test_what_is_no_url_is_an_error(write_config: Callable[[str], Path], url: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        explain(load_config(write_config(FILE)), url)
    assert str(caught.value) == message


def test_an_application_whose_prefix_is_stripped_sees_none(write_config):
    path = write_config('[mounts]\n"/admin" = { app = "admin:app", strip = true }')
    explanation = explain(load_config(path), "/admin/users")
    assert (explanation.script_name, explanation.path_info) == ("", "/users")
    assert (explanation.root_path, explanation.path) == ("", "/users")


PROXIES = """
[mounts]
"/app" = { proxy = "http://localhost:5173" }
"/old" = { proxy = "https://[::1]:8443/shop", strip = true }
"/live" = { proxy = "unix:/run/live.sock", strip = true }
"/to/{port}" = { proxy = "http://127.0.0.1:{port}" }
"""


@pytest.mark.parametrize(
    ("url", "method", "upstream"),
    [
        pytest.param("/app/a%2Fb/é?x=%20#y", "", "http://localhost:5173/app/a%2Fb/%C3%A9?x=%20", id="the path stays"),
        pytest.param("/app", "", "http://localhost:5173/app", id="the bare prefix"),
        pytest.param("/old/a//b", "POST", "https://[::1]:8443/shop/a//b", id="the prefix goes"),
        pytest.param("/old", "", "https://[::1]:8443/shop/", id="nothing is left of it"),
        pytest.param("ws://a/live/x", "", "unix:/run/live.sock:/x", id="a WebSocket over a socket"),
        pytest.param("/to/81/x", "", "http://127.0.0.1:81/to/81/x", id="a placeholder"),
        pytest.param(
            "/to/a/x",
            "",
            "none: what the placeholders stand for can be no part of its address, so the runner-up answers",
            id="a placeholder that is no port",
        ),
    ],
)
def test_what_a_proxied_mount_asks_for_is_told(
    write_config: Callable[[str], Path], url: str, method: str, upstream: str
) -> None:
    result = explain(load_config(write_config(PROXIES)), url, method)
    assert (result.upstream, result.script_name, result.root_path) == (upstream, None, None)
    assert f"upstream   {upstream}\n" in explanation_as_text(result)
