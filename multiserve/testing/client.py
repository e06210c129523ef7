"""The client: requests to a composition in this process, with the cookies that a browser would send."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.cookiejar import CookieJar
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urljoin

from multiserve._types import Scope, WSGIApplication
from multiserve.api import StrPath, load
from multiserve.config.model import Config
from multiserve.probing.exchange import build_scope
from multiserve.testing.calls import Response, RunningASGI, call_wsgi


class Client:
    """Sends requests to a composition in this process, through the dispatcher, as a browser would to its origin.

    Inside the with block the lifespans of all ASGI applications run. Cookies are kept and sent as browsers do.
    Redirects are not followed. What an application raises is raised in the test.

    Attributes:
        cookies: The cookies of all responses so far.
    """

    def __init__(self, config: Config | StrPath | None = None, *, origin: str = "http://localhost") -> None:
        """Send requests to the mounts of a configuration.

        Args:
            config: The configuration, or the path of its file; by default it is found as the commands find it.
            origin: The scheme and host of the URLs that are only a path.
        """
        self.cookies = CookieJar()
        self._config = config
        self._origin = origin
        self._wsgi: WSGIApplication | None = None
        self._asgi: RunningASGI | None = None

    def __enter__(self) -> Self:
        """Load the mounts, and start the ASGI applications.

        Raises:
            ConfigError: The file is missing or wrong.
            LoadError: A mount cannot be loaded or started that is required, or none can.
        """
        composition = load(self._config)
        if composition.interface == "wsgi":
            self._wsgi = composition.application
        else:
            self._asgi = RunningASGI(composition.application)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Shut the ASGI applications down."""
        if self._asgi is not None:
            self._asgi.stop()
        self._wsgi = self._asgi = None

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """Send a GET request; the arguments are those of `request`."""
        return self.request("GET", url, headers=headers)

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Response:
        """Send a POST request; the arguments are those of `request`."""
        return self.request("POST", url, headers=headers, body=body, form=form, json=json)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        form: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Response:
        """Send one request and return the whole response.

        Args:
            method: The method, in capitals.
            url: A path with or without a query, or a whole URL.
            headers: More headers, or others than the client sends on its own.
            body: The body of the request.
            form: The fields of a form, which are its body.
            json: A value that is its body as JSON; None for none.
        """
        url = urljoin(self._origin, url)
        body, sent = _encode(body, form, json)
        request = urllib.request.Request(url)  # noqa: S310 (nothing is opened: the cookie jar reads it)
        self.cookies.add_cookie_header(request)
        if cookie := request.get_header("Cookie"):
            sent["cookie"] = cookie
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        scope = build_scope(method, url, "*/*")
        kept = [(name, value) for name, value in scope["headers"] if name.decode() not in sent]
        scope["headers"] = [*kept, *((name.encode(), value.encode("latin-1")) for name, value in sent.items())]
        response = self._send(scope, body)
        self.cookies.extract_cookies(_CookieResponse(response), request)  # type: ignore[arg-type]
        return response

    def _send(self, scope: Scope, body: bytes) -> Response:
        if self._wsgi is not None:
            return call_wsgi(self._wsgi, scope, body)
        if self._asgi is not None:
            return self._asgi.call(scope, body)
        raise RuntimeError("the client is used outside of its with block")


def _encode(body: bytes, form: Mapping[str, str] | None, value: object) -> tuple[bytes, dict[str, str]]:
    """Return the body of a request, and the headers that describe it."""
    headers = {"user-agent": "multiserve client"}
    if form is not None:
        body, headers["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
    elif value is not None:
        body, headers["content-type"] = json.dumps(value).encode(), "application/json"
    if body:
        headers["content-length"] = str(len(body))
    return body, headers


class _CookieResponse:
    """A response as `http.cookiejar` reads it."""

    def __init__(self, response: Response) -> None:
        self._message = Message()
        for name, value in response.headers.items():
            self._message[name] = value

    def info(self) -> Message:
        return self._message
