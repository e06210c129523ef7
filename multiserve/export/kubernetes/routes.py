"""The table of the front as routes of a Gateway (gateway.networking.k8s.io/v1) or of an Ingress (networking.k8s.io/v1).

Neither can say everything that a key can; what they cannot is refused, and never written as something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from multiserve.errors import Problem, raise_for
from multiserve.export.containers import PORT
from multiserve.export.kubernetes.objects import Object
from multiserve.export.model import Export
from multiserve.export.patterns import STAR
from multiserve.export.table import HostTable, Place
from multiserve.export.yaml import Value

_MOST_RULES = 16  # of one HTTPRoute
_MOST_HOSTS = 16
_HINT = "Take --front nginx, which can, or change the key."
_REFUSED = re.compile(r"//|/\.\.?(/|$)|%|\\")


def httproutes(export: Export) -> Sequence[Object]:
    """Return an HTTPRoute for each list of hosts.

    Raises:
        ConfigError: It cannot express the table.
    """
    raise_for(_problems(export, "an HTTPRoute", one_label=False))
    by_places: dict[tuple[Place, ...], list[str]] = {}
    *named, anywhere = export.table.hosts
    for table in named:
        by_places.setdefault(table.places, []).append(table.host)
    # That for any host stays apart, also where a host has the same places: a wildcard would count before it.
    routes = [(hosts, places) for places, hosts in by_places.items()] + [([], anywhere.places)]
    return [_httproute(export, f"{export.name}-{number}", *route) for number, route in enumerate(routes, 1)]


def _httproute(export: Export, name: str, hosts: Sequence[str], places: Sequence[Place]) -> Object:
    spec: dict[str, Value] = {"parentRefs": [{"name": export.name}]}  # a Gateway of that name
    if hosts:
        spec["hostnames"] = list(hosts)
    spec["rules"] = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": place.prefix or "/"}}],
            "backendRefs": [{"name": f"{export.name}-{place.unit}", "port": PORT}],
        }
        for place in places
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": export.name}},
        "spec": spec,
    }


def ingress(export: Export) -> Object:
    """Return an Ingress.

    Raises:
        ConfigError: It cannot express the table.
    """
    raise_for(_problems(export, "an Ingress", one_label=True))
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": export.name, "labels": {"app.kubernetes.io/part-of": export.name}},
        "spec": {"rules": [_ingress_rule(export, table) for table in export.table.hosts]},
    }


def _ingress_rule(export: Export, table: HostTable) -> Value:
    paths: list[Value] = [
        {
            "path": place.prefix or "/",
            "pathType": "Prefix",
            "backend": {"service": {"name": f"{export.name}-{place.unit}", "port": {"number": PORT}}},
        }
        for place in table.places
    ]
    host = table.host.replace("{}", "*", 1)
    return {**({"host": host} if host else {}), "http": {"paths": paths}}


def _problems(export: Export, what: str, *, one_label: bool) -> Iterator[Problem]:
    """Yield a problem for each thing that routes cannot say.

    Args:
        export: The export.
        what: What is to be written.
        one_label: Whether its wildcard stands for exactly one label; else for one or more.
    """
    for table in export.table.hosts:
        shown = table.host if table.port is None else f"{table.host}:{table.port}"
        if table.port is not None:
            yield _problem(f"{what} cannot tell ports apart, as {shown} does")
        begin, dot, rest = table.host.partition(".")
        can_star = begin == ("{}" if one_label else "*") and dot and "{}" not in rest
        if not can_star and ("{}" in table.host or table.host.startswith(STAR)):
            meaning = "exactly one label" if one_label else "one label or more"
            yield _problem(f"a wildcard of {what} is the first label, and stands for {meaning}, which {shown} does not")
        if not one_label and len(table.places) > _MOST_RULES:
            yield _problem(
                f"{what} has at most {_MOST_RULES} rules, and {shown or 'any host'} needs {len(table.places)}"
            )
        for place in table.places:
            if "{}" in place.prefix or _REFUSED.search(place.prefix) or not place.prefix.isascii():
                yield _problem(f"{what} cannot match the prefix {place.prefix}")
    if not one_label and len(export.table.hosts) > _MOST_HOSTS:
        yield _problem(f"{what} has at most {_MOST_HOSTS} host names, and the file has {len(export.table.hosts) - 1}")


def _problem(message: str) -> Problem:
    return Problem(key="--front", message=message, hint=_HINT)
