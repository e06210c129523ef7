"""What a type checker makes of the public API; `tests/test_api.py` runs mypy over it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type
from wsgiref.types import WSGIApplication

import multiserve
from multiserve import Config, ConfigError, Explanation, Finding, LoadError, MultiserveError, Problem, ServeError
from multiserve._types import ASGIApplication, Interface
from multiserve.testing import Client, Response, assert_no_findings

FILE = Path("multiserve.toml")


def loads() -> None:
    assert_type(multiserve.load_config(), Config)
    assert_type(multiserve.load_config("multiserve.toml"), Config)
    assert_type(multiserve.load_config(FILE), Config)


def composes(config: Config, interface: Interface, maybe: Interface | None) -> None:
    assert_type(multiserve.create_app(interface="wsgi"), WSGIApplication)
    assert_type(multiserve.create_app(config, interface="wsgi"), WSGIApplication)
    assert_type(multiserve.create_app(FILE, interface="asgi"), ASGIApplication)
    assert_type(multiserve.create_app("multiserve.toml"), WSGIApplication | ASGIApplication)
    assert_type(multiserve.create_app(interface=interface), WSGIApplication | ASGIApplication)
    assert_type(multiserve.create_app(interface=maybe), WSGIApplication | ASGIApplication)


def finds(config: Config) -> None:
    assert_type(multiserve.check(config), list[Finding])
    assert_type(multiserve.check("multiserve.toml", production=True, probe=True), list[Finding])
    assert_type(multiserve.explain(config, "/admin"), Explanation)
    assert_type(multiserve.explain(FILE, "/admin", "POST"), Explanation)
    assert_type(multiserve.explain(FILE, "/admin", method=None), Explanation)


def raises(error: MultiserveError) -> None:
    assert_type(error.problems, tuple[Problem, ...])
    assert_type(error.exit_code, int)
    for kind in (ConfigError, LoadError, ServeError):
        assert_type(kind("no").problems[0].hint, str)


def sends(config: Config) -> None:
    assert_no_findings(FILE, production=True, probe=True)
    with Client(config, origin="https://example.com") as client:
        assert_type(client, Client)
        assert_type(client.get("/", headers={"Accept": "*/*"}), Response)
        assert_type(client.post("/", form={"a": "b"}).status, int)
        assert_type(client.request("PUT", "/", body=b"x").text, str)
        assert_type(client.get("/").body, bytes)


def refuses(config: Config) -> None:
    """Use it wrongly: mypy has to object to each line, or it warns of an unused ignore."""
    multiserve.create_app(config, interface="cgi")  # type: ignore[call-overload]
    multiserve.create_app(config, "wsgi")  # type: ignore[call-overload]
    multiserve.check()  # type: ignore[call-arg]
    multiserve.check(config, True)  # type: ignore[call-arg]
    multiserve.explain(config)  # type: ignore[call-arg]
    Client(config, "https://example.com")  # type: ignore[call-arg]
    multiserve.frobnicate()  # type: ignore[attr-defined]
