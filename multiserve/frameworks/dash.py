"""Dash, whose server is an application of Flask, of Quart or of FastAPI."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from multiserve.frameworks import flask
from multiserve.frameworks.facts import Facts, InnerAnswer, InnerRequest, Inside, Onward, Setting
from multiserve.frameworks.reading import is_a, known, loaded, version_of


def recognises(application: object) -> bool:
    """Return whether it is Dash, or the server of Flask that Dash has put its own routes into."""
    return _dash_of(application) is not None


def _dash_of(application: object) -> Any:
    if loaded("dash.dash", "Dash") is None:
        return None
    if is_a(application, "dash.dash", "Dash"):
        return application
    if flask.recognises(application):
        views: Iterable[Any] = known(lambda: list(application.view_functions.values()), [])  # type: ignore[attr-defined]
        owners = {id(owner): owner for view in views if _is_dash(owner := getattr(view, "__self__", None))}
        # Several Dash applications in one server have different prefixes, so none is returned.
        return next(iter(owners.values())) if len(owners) == 1 else None
    return None


def _is_dash(owner: object) -> bool:
    return is_a(owner, "dash.dash", "Dash")


def read(application: Any, inside: Inside) -> Facts:
    """Read the server, and what Dash adds."""
    dash = _dash_of(application)
    server = _server(application)
    facts = known(lambda: flask.read(server, inside) if flask.recognises(server) else inside(server), None)
    if facts is None:
        facts = Facts(application=dash, framework="Dash", version="")
    return replace(
        facts,
        framework="Dash",
        version=version_of("dash"),
        own_prefix=(*facts.own_prefix, *known(lambda: _prefixes(dash), ())),
    )


def _prefixes(dash: Any) -> tuple[Setting, ...]:
    """Return both prefixes, which have to fit the mount even if they have their default values."""
    names = ("requests_pathname_prefix", "routes_pathname_prefix")
    return tuple(Setting(name, dash.config[name]) for name in names)


def _server(application: Any) -> Any:
    return application.server if is_a(application, "dash.dash", "Dash") else application


def find(application: Any, request: InnerRequest, onward: Onward) -> InnerAnswer | None:
    """Ask the server."""
    server = _server(application)
    return flask.find(server, request, onward) if flask.recognises(server) else onward(server, request)
