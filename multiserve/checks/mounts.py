"""Checks of mounts and routes that no request can reach, and of redirects that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Subject, host_of
from multiserve.config.kinds.fleets import FleetMount
from multiserve.config.mounts import AppMount, Mount, RedirectMount, StaticMount
from multiserve.findings import Finding, Severity
from multiserve.frameworks import InnerRoute, own_mounts
from multiserve.paths import to_wsgi
from multiserve.routing import Router

_SHOWN = 3  # routes that a finding names
_AUTOMATIC = ("openapi", "swagger_ui_html", "swagger_ui_redirect", "redoc_html")  # FastAPI's own


@check(
    "MS101",
    "note",
    "a mount needs a port that the server does not listen on",
    consequence="It may be unreachable.",
    scope="origin",
)
def other_ports(subject: Subject) -> Iterator[Finding]:
    """A mount whose key has a port answers only requests whose Host header names that port.

    Unless a proxy or a port mapping stands in front, that is always the port on which the server listens.
    """
    config = subject.config
    if config.server.trusted_proxies or config.gunicorn.get("bind"):
        return
    port = config.server.port
    for member in subject.members:
        key = member.mount.key
        if key.port is not None and port not in (0, key.port):
            message = f"the key has the port {key.port}, and the server listens on {port}"
            cure = f"Remove the port from the key, or listen on {key.port}."
            yield other_ports.found(member, message=message, cure=cure)


@check(
    "MS102",
    "warning",
    "a mount hides routes of the application above it",
    consequence="They never receive a request.",
    scope="origin",
)
def hidden_routes(subject: Subject) -> Iterator[Finding]:
    """The mount with the longest prefix answers a request.

    If the application at "/" has a route /admin/login, a mount at "/admin" hides it. The routes are read from the URL
    map of the application. A static folder or a redirect that replaces the static files of an application is not
    reported.
    """
    router = Router((member.mount.key, member) for member in subject.members)
    for member in subject.members:
        above = _above(router, member)
        routes = above.facts.routes if above and above.facts else None
        if not above or not routes:
            continue
        path = member.prefix.removeprefix(above.prefix)
        hidden = {route.path: route for route in routes if _is_hidden(route, path, member, above)}
        if hidden:
            yield _hiding(subject, member, above, sorted(hidden.values(), key=lambda route: route.path))


def _hiding(subject: Subject, member: CheckedMount, above: CheckedMount, hidden: list[InnerRoute]) -> Finding:
    names = ", ".join(above.prefix + route.path for route in hidden[:_SHOWN])
    more = f" and {len(hidden) - _SHOWN} more" if len(hidden) > _SHOWN else ""
    first = hidden[0]
    where = f" ({subject.shorten(first.file)}:{first.line})" if first.file else ""
    count = "a route" if len(hidden) == 1 else f"{len(hidden)} routes"
    is_automatic = all(route.name in _AUTOMATIC for route in hidden)
    return hidden_routes.found(
        member,
        above,
        message=f"it hides {count} of the application at {above.mount.key}: {names}{more}{where}",
        cure="Give the mount another prefix, or move the routes.",
        severity="note" if is_automatic or isinstance(member.mount, RedirectMount) else None,
    )


def _above(router: Router[CheckedMount], member: CheckedMount) -> CheckedMount | None:
    """Return the mount of the same host that would answer the prefix of another mount if that did not exist."""
    key = member.mount.key
    if key.placeholders or not key.prefix:
        return None
    for route in router.rank(to_wsgi(key.prefix), host_of(key)):
        if (route.key.host, route.key.port) == (key.host, key.port) and route.mount is not member:
            return None if route.key.placeholders else route.mount
    return None


def _is_hidden(route: InnerRoute, path: str, member: CheckedMount, above: CheckedMount) -> bool:
    return not route.host and _is_below(route, path) and not _is_replaced(route, member, above)


def _is_below(route: InnerRoute, path: str) -> bool:
    """Return whether a route matches only a path and what is below it; /admin<rest> also matches /administrator."""
    return route.path.rstrip("/") == path or route.literal.startswith(f"{path}/")


def _is_replaced(route: InnerRoute, member: CheckedMount, above: CheckedMount) -> bool:
    """Return whether a route is for static files that the mount replaces on purpose, or that do not exist."""
    if "static" not in f"{route.name} {route.view}".lower():
        return False
    folder = above.facts.static_folder if above.facts else None
    if route.name == "static" and folder is not None and not Path(folder).is_dir():
        return True  # Flask always adds the route
    return isinstance(member.mount, (StaticMount, RedirectMount))


@check(
    "MS103",
    "note",
    "all routes of an application repeat its prefix",
    consequence="URLs may have the prefix twice.",
    scope="origin",
)
def repeated_prefixes(subject: Subject) -> Iterator[Finding]:
    """The URLs of an application are the prefix of its mount followed by the application's own routes.

    If the routes already begin with the prefix, their URLs are of the form /admin/admin/users. Applications that are
    wrapped in middleware are not checked, because the middleware may correct the path.
    """
    for member in subject.readable:
        if not member.facts or member.facts.takes_whole_path or not member.prefix or _is_wrapped(subject, member):
            continue
        routes = [route for route in member.facts.routes or () if route.name not in ("static", *_AUTOMATIC)]
        if routes and all(_is_below(route, member.prefix) for route in routes):
            url = member.prefix + routes[0].path
            cure = f'Remove "{member.prefix}" from the routes, or mount the application one level higher.'
            yield repeated_prefixes.found(member, message=f"its routes are at {url} and the like", cure=cure)


def _is_wrapped(subject: Subject, member: CheckedMount) -> bool:
    """Return whether middleware around the application may change the path."""
    return bool((member.facts and member.facts.wrappers) or member.mount.middleware or subject.config.middleware)


@check("MS104", "warning", "an application ignores its prefix", consequence="Its routes answer 404.", scope="origin")
def whole_paths(subject: Subject) -> Iterator[Finding]:
    """Some frameworks, such as Falcon over ASGI, match their routes against the whole path, including the prefix.

    Their routes must begin with the prefix, unless `strip` or middleware removes it.
    """
    for member in subject.readable:
        is_stripped = isinstance(member.mount, AppMount) and member.mount.strip
        if not member.facts or not member.facts.takes_whole_path or not member.prefix or is_stripped:
            continue
        routes = member.facts.routes or ()
        outside = [route for route in routes if not _may_reach(route, member.prefix)]
        if outside and not _is_wrapped(subject, member):
            message = f"{member.facts.framework} matches whole paths: {outside[0].path} is not below {member.prefix}"
            cure = f'Set strip = true on the mount, or put "{member.prefix}" in front of its routes.'
            severity: Severity = "error" if len(outside) == len(routes) else "warning"
            yield whole_paths.found(member, message=message, cure=cure, severity=severity)


def _may_reach(route: InnerRoute, prefix: str) -> bool:
    """Return whether a route can match a path at a prefix or below it."""
    has_placeholder = route.literal != route.path
    return _is_below(route, prefix) or (has_placeholder and f"{prefix}/".startswith(route.literal))


@check(
    "MS105",
    "error",
    "a redirect leads back to itself",
    consequence="Browsers give up after about twenty redirects.",
    scope="origin",
)
def circles(subject: Subject) -> Iterator[Finding]:
    """A redirect mount adds the rest of the path to its target.

    If the same mount answers the target, or another redirect that leads back to it, browsers go round in a circle.
    """
    told: list[Mount] = []
    for member in subject.members:
        way = _way(subject, member.mount)
        if member.mount in told or len(way) == 1 or way[-1] is not member.mount:
            continue
        told.extend(way)
        concerned = tuple(each for each in subject.members if each.mount in way)
        cure = f"Redirect {'one of them' if len(concerned) > 1 else 'it'} to another path."
        shown = " -> ".join(each.name for each in way)
        yield circles.found(*concerned, message=f"it redirects {shown}", cure=cure)


def _way(subject: Subject, start: Mount) -> list[Mount]:
    """Follow redirects from mount to mount until one repeats or the target is not a redirect."""
    way = [start]
    while True:
        mount = way[-1]
        if not isinstance(mount, RedirectMount) or _is_elsewhere(mount):
            return way
        found = subject.find(_target(mount), host_of(start.key))
        if found is None:
            return way
        way.append(found)
        if found in way[:-1]:
            return way


def _is_elsewhere(mount: RedirectMount) -> bool:
    return bool(urlsplit(mount.what).netloc)


def _target(mount: RedirectMount) -> str:
    return unquote_to_bytes(mount.what).decode("utf-8", "surrogateescape")


@check(
    "MS106",
    "warning",
    "a redirect leads to a path that no mount answers",
    consequence="The client gets 404.",
    scope="origin",
)
def dead_ends(subject: Subject) -> Iterator[Finding]:
    """The target of a redirect is the path of a mount, or a whole URL. A path that no mount answers is a mistake."""
    hosts = {host_of(member.mount.key) for member in subject.members}
    for member in subject.members:
        mount = member.mount
        if not isinstance(mount, RedirectMount) or _is_elsewhere(mount):
            continue
        asked = [host_of(mount.key)] if mount.key.host else ["", *sorted(hosts)]
        if not any(subject.find(_target(mount), host) for host in asked):
            yield dead_ends.found(member, message=f"no mount answers {mount.what}", cure="Correct the target.")


@check(
    "MS107",
    "error",
    "a URL configuration cannot be imported",
    consequence="Every request to it gets 500.",
    scope="origin",
)
def broken_routes(subject: Subject) -> Iterator[Finding]:
    """Django imports the module that ROOT_URLCONF names at the first request, not while the project loads.

    This check imports it, with the views that it refers to.
    """
    for member in subject.applications:
        if member.facts and member.facts.routes_error:
            yield broken_routes.found(
                member,
                message=f"its URL configuration cannot be imported: {member.facts.routes_error}",
                cure="Correct that module; python manage.py check shows the whole traceback.",
            )


@check("MS108", "warning", "an application mounts itself at its prefix", consequence="URLs have the prefix twice.")
def own_dispatchers(subject: Subject) -> Iterator[Finding]:
    """A recipe puts werkzeug's DispatcherMiddleware in place of a Flask application's wsgi_app, to move it to a prefix.

    The mount of multiserve does that already. With both, the application is at /api/api, and every other URL below /api
    is an error, or goes to what the recipe has put at the root.
    """
    for member in subject.members:
        if member.prefix and member.prefix in own_mounts(member.loaded.origin):
            message = f"a dispatcher inside of it has {member.prefix} as well"
            yield own_dispatchers.found(member, message=message, cure="Mount the application without the dispatcher.")


@check("MS109", "note", "a fleet leaves out an application", consequence="It has no URL.", scope="origin")
def left_out(subject: Subject) -> Iterator[Finding]:
    """A fleet mounts each application in its folder by the name of its file or package.

    An application that cannot be mounted so is left out: a factory that needs arguments, a name that cannot be part of
    a key, a file and a folder of one name. In development the page of the fleet lists it, with the reason.
    """
    for member in subject.members:
        if isinstance(member.mount, FleetMount):
            for name, reason in member.mount.left_out:
                yield left_out.found(member, message=f'"{name}" is not mounted', cure=reason)


CHECKS = (
    other_ports,
    hidden_routes,
    repeated_prefixes,
    whole_paths,
    circles,
    dead_ends,
    broken_routes,
    own_dispatchers,
    left_out,
)
