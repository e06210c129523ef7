"""What handles a request inside its mount, according to the application's own router; no view is called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.composition import Composition
from multiserve.config.mounts import AppMount, FileMount, FleetMount, Mount, ProxiedMount, StaticMount, TenantMount
from multiserve.frameworks import Facts, InnerRequest, InnerRoute, find_route, inspect_application
from multiserve.kinds.static import open_folder
from multiserve.loading.mounts import LoadedMount
from multiserve.paths import from_wsgi
from multiserve.routes.explain import WEBSOCKET, Explanation
from multiserve.routes.inside import outer_url

ArrivalOutcome: TypeAlias = Literal[
    "view", "redirect", "method not allowed", "not found", "host refused", "file", "list", "failed", "tenants",
    "proxied",    "websocket refused", "unknown",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What handles a request inside its mount.

    Attributes:
        loaded: The mount with its loaded application, or the reason why there is none.
        outcome: What happens to the request; `failed` if the mount cannot be loaded, `unknown` if it cannot be known.
        through: The middleware in front, the outermost first. What it changes is not known.
        facts: What is known about the application; None if multiserve cannot see inside.
        status: The status of the answer if no view is called; 0 if only the view decides, or if it is unknown.
        route: The matching route, if it is known.
        url: The URL of that route from outside, with the prefix.
        location: Where a redirect goes.
        methods: The allowed methods, if this one is not allowed.
        file: The file that a folder or a file as a mount sends.
        content_type: The type of what such a mount answers.
    """

    loaded: LoadedMount
    outcome: ArrivalOutcome
    through: tuple[str, ...] = ()
    facts: Facts | None = None
    status: int = 0
    route: InnerRoute | None = None
    url: str = ""
    location: str = ""
    methods: tuple[str, ...] = ()
    file: str = ""
    content_type: str = ""


def follow(composition: Composition, result: Explanation) -> Arrival:
    """Follow a request into the mount that an explanation has found for it.

    Args:
        composition: The loaded mounts of the same configuration.
        result: The explanation, which has a mount.
    """
    loaded = next(each for each in composition.mounts if each.mount is result.mount)
    mount = loaded.mount
    through = tuple(target.text for target in (*composition.config.middleware, *mount.middleware))
    arrival = Arrival(loaded=loaded, outcome="unknown", through=through)
    if loaded.error:
        return replace(arrival, outcome="failed", status=503, through=())
    if result.location:
        return replace(arrival, outcome="redirect", status=result.status, location=result.location)
    if result.method == WEBSOCKET and not _takes_websockets(composition, loaded):
        return replace(arrival, outcome="websocket refused")
    if isinstance(mount, TenantMount):
        return replace(arrival, outcome="tenants")
    if isinstance(mount, ProxiedMount):
        return replace(arrival, outcome="proxied")
    return _ask(arrival, mount, result)


def _ask(arrival: Arrival, mount: Mount, result: Explanation) -> Arrival:
    if isinstance(mount, StaticMount):
        return _ask_folder(arrival, mount, result.environ)
    if isinstance(mount, FileMount):
        return _ask_file(arrival, mount, result.environ)
    if isinstance(mount, FleetMount) and arrival.loaded.handlers:
        answer = _ask_files(arrival, arrival.loaded.handlers.wsgi, result.environ)
        return replace(answer, outcome="list") if answer.outcome == "file" else answer
    return _ask_application(arrival, result)


def _takes_websockets(composition: Composition, loaded: LoadedMount) -> bool:
    """Return whether a WebSocket reaches the mount: a WSGI application receives one from another worker alone."""
    if isinstance(loaded.mount, ProxiedMount):
        return True
    if not isinstance(loaded.mount, AppMount):
        return False
    if composition.interface == "asgi":
        return loaded.interface != "wsgi"
    return "worker_class" in composition.config.gunicorn


def _ask_application(arrival: Arrival, result: Explanation) -> Arrival:
    application, key = arrival.loaded.origin, arrival.loaded.mount.key
    facts = inspect_application(application)
    if facts is None:
        return arrival
    arrival = replace(arrival, facts=facts, through=(*arrival.through, *facts.wrappers))
    request = _request(arrival.loaded, facts, result)
    answer = find_route(application, request)
    if answer is None:
        return arrival
    return replace(
        arrival,
        outcome=answer.outcome,
        status=answer.status,
        route=answer.route,
        url=outer_url(key, facts, answer.route) if answer.route else "",
        location=_location(answer.location, request, result.environ["QUERY_STRING"]),
        methods=answer.methods,
    )


def _request(loaded: LoadedMount, facts: Facts, result: Explanation) -> InnerRequest:
    """Return the request as the dispatcher passes it to the application."""
    environ = result.environ
    if loaded.interface == "asgi" and result.root_path is not None and result.path is not None:
        prefix, path = result.root_path, result.path.removeprefix(result.root_path)
    else:
        prefix, path = _text(environ["SCRIPT_NAME"]), _text(environ["PATH_INFO"])
    return InnerRequest(
        path=path,
        method=result.method,
        host=environ["HTTP_HOST"] or facts.usual_hosts()[0],
        prefix=prefix,
        scheme=environ["wsgi.url_scheme"].replace("ws", "http"),
    )


def _text(path: str) -> str:
    return from_wsgi(path, "replace")


def _location(location: str, request: InnerRequest, query: str) -> str:
    """Shorten a URL on the host of the request to its path, and add the query, as frameworks do."""
    origin = f"{request.scheme}://{request.host}"
    path = location.removeprefix(origin) if location.startswith(f"{origin}/") else location
    return f"{path}?{query}" if path and query else path


def _ask_folder(arrival: Arrival, mount: StaticMount, environ: WSGIEnvironment) -> Arrival:
    """Send a browser's request to the static folder, which only reads files."""
    from multiserve.mounts.static.folder import OPENED  # imported for a static folder alone

    opened: list[str] = []
    answer = _ask_files(arrival, open_folder(mount).wsgi, {**environ, OPENED: opened})
    return replace(answer, file=opened[0] if opened else "")


def _ask_file(arrival: Arrival, mount: FileMount, environ: WSGIEnvironment) -> Arrival:
    """Send a browser's request to the file."""
    from multiserve.mounts.static.single_file import SingleFile

    answer = _ask_files(arrival, SingleFile(mount.path).wsgi, environ)
    return replace(answer, file=str(mount.path) if answer.outcome == "file" else "")


def _ask_files(arrival: Arrival, files: WSGIApplication, environ: WSGIEnvironment) -> Arrival:
    answered: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> object:
        answered.append((status, dict(headers)))
        return None

    browser = {**environ, "HTTP_ACCEPT": "text/html"}
    body = files(browser, cast("StartResponse", start_response))
    if hasattr(body, "close"):
        body.close()
    status, headers = answered[0]
    return replace(
        arrival,
        outcome=_OUTCOMES[status[:3]],
        status=int(status[:3]),
        location=headers.get("Location", ""),
        methods=tuple(headers["Allow"].split(", ")) if "Allow" in headers else (),
        content_type=headers.get("Content-Type", ""),
    )


_OUTCOMES: dict[str, ArrivalOutcome] = {
    "200": "file", "308": "redirect", "404": "not found", "405": "method not allowed",
}  # fmt: skip
