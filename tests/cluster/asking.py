"""The URLs of the examples, and what they answer."""

from __future__ import annotations

import http.client
from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    """What was answered.

    Attributes:
        status: The status; 0 if nothing was answered.
        headers: The headers.
        text: The body.
    """

    status: int
    headers: dict[str, str]
    text: str


def ask(port: int, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Response:
    """Ask a server on the loopback interface."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, found, response.read().decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        return Response(0, {}, repr(error))
    finally:
        connection.close()


@dataclass(frozen=True)
class Url:
    """A URL, and what it answers.

    Attributes:
        path: The path.
        text: A part of the body; with a status of a redirect, of its Location.
        status: The status.
    """

    path: str
    text: str
    status: int = 200

    def fault(self, port: int) -> str:
        """Ask for it as a browser does that goes there, and return what is wrong."""
        response = ask(port, self.path, Accept="text/html,*/*;q=0.8", Sec_Fetch_Mode="navigate")
        where = response.headers.get("location", "") if 300 <= response.status < 400 else response.text
        if response.status == self.status and self.text in where:
            return ""
        return f"{self.path}: {response.status} {response.headers} {response.text[:2000]}"


MIXED = (
    Url("/", 'src="/api/?name=guest"'),
    Url("/about", "</html>"),
    Url("/static/style.css", "{"),
    Url("/admin", "/admin/", 301),
    Url("/admin/", "/admin/login/?next=/admin/", 302),
    Url("/admin/login/", "/admin/static/admin/css/base.css"),
    Url("/admin/static/admin/css/base.css", "{"),
    Url("/api/", "/api/static/chat.js"),
    Url("/api/docs", "/api/openapi.json"),
    Url("/api/openapi.json", '"servers":[{"url":"/api"}]'),
    Url("/api/messages", "Welcome!"),
    Url("/api/static/chat.js", "WebSocket"),
    Url("/nothing", "Not Found", 404),
    Url("/api/nothing", '{"detail":"Not Found"}', 404),
)

ISOLATED = (
    Url("/", "<p>Flask 3."),
    Url("/shop/", "settings: shop.settings"),
    Url("/shop/about/", "/shop/about/"),
    Url("/blog/", "settings: blog.settings"),
    Url("/blog/about/", "/blog/about/"),
    Url("/old/", "The old site"),
    Url("/stock/", "<title>Streamlit</title>"),
    Url("/stock/_stcore/health", "ok"),
    Url("/sales/", "<title>Streamlit</title>"),
    Url("/sales/_stcore/health", "ok"),
    Url("/page/", "<title>Page</title>"),
    Url("/page/deep/link", "<title>Page</title>"),
)
