"""haproxy in front of the units, by the path decoded once, as multiserve has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from multiserve.export.expressions import PORT, decoded_path, host_pattern
from multiserve.export.health import find_health
from multiserve.export.model import Export
from multiserve.export.table import HostTable, Place

FILE = "{name}.cfg"


def render(export: Export) -> Mapping[str, str]:
    """Return the file, which haproxy takes by itself or beside others."""
    lines = [*_introduction(), *_defaults(export), "", *_frontend(export), *_backends(export)]
    return {FILE.format(name=export.name): "\n".join([*lines, ""])}


def _introduction() -> Iterator[str]:
    yield "# For haproxy 2.5 or newer, built with PCRE: haproxy -f FILE."
    yield "# Each unit has to trust this one proxy, and runs with --trusted-proxies 1."
    yield ""


def _defaults(export: Export) -> Iterator[str]:
    yield f"defaults {export.name}"
    yield "    mode http"
    yield "    timeout connect      5s"
    yield "    timeout http-request 30s"
    yield "    timeout client       1h  # the units have limits of their own for slow clients"
    yield "    timeout server       1h"
    yield "    timeout tunnel       1h  # WebSockets"


def _frontend(export: Export) -> Iterator[str]:
    table = export.table
    yield f"frontend {export.name} from {export.name}"
    yield f"    bind :{export.listen}"
    yield "    # bind :443 ssl crt /etc/ssl/site.pem"
    yield "    option forwardfor"
    yield "    http-request set-header Host %[dst]:%[dst_port] unless { req.hdr(host) -m found }  # HTTP/1.0"
    yield "    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]"
    yield "    http-request set-header X-Request-ID %[uuid]  # not that of a client"
    yield "    http-request del-header X-Forwarded-Host  # the Host header is handed on as the client wrote it"
    yield "    http-request del-header X-Forwarded-Port"
    yield "    http-request del-header X-Forwarded-Prefix"
    if any(len(host.places) > 1 for host in table.hosts):
        yield ""
        yield "    # The path decoded once; a percent sign without two digits is one."
        yield """    http-request set-var(txn.path) 'path,regsub("%(?![0-9A-Fa-f]{2})","%25",g),url_dec'"""
    if table.has_hosts:
        yield from _host_variables(has_ports=table.has_ports)
    conditions = _Conditions()
    rules = [line for host in table.hosts for line in _rules(export, host, conditions)]
    yield ""
    yield from conditions.lines
    yield ""
    yield "    # The first line that holds counts."
    yield from rules


def _host_variables(*, has_ports: bool) -> Iterator[str]:
    yield ""
    yield "    # The host without its port; a malformed one stays as it is, and is none of those below."
    end = f"[.]?(?::(?:(?=[0-9]{{1,5}}$)0*{PORT})?)?$"
    yield f"""    http-request set-var(txn.host) 'req.hdr(host),lower,regsub("{end}","")'"""
    if has_ports:
        yield """    http-request set-var(txn.port) 'req.hdr(host),regsub("^.*:0*","")'"""
        yield """    acl has_port req.hdr(host) -m reg ':[0-9]+$'"""
        yield "    http-request set-var(txn.port) str(80) if !has_port !{ ssl_fc }"
        yield "    http-request set-var(txn.port) str(443) if !has_port { ssl_fc }"


class _Conditions:
    """The conditions of all rules, each written once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[str, str] = {}

    def host(self, table: HostTable) -> list[str]:
        """Return the names of the conditions of some hosts."""
        found = []
        if table.host:
            found.append(self._name(table.host, "host", [f"var(txn.host) {_host(table.host)}"]))
        if table.port is not None:
            found.append(self._name(f":{table.port}", "port", [f"var(txn.port) -m str {table.port}"]))
        return found

    def path(self, place: Place) -> str:
        """Return the name of the condition of a prefix."""
        if "{}" in place.prefix:
            return self._name(place.prefix, "path", [f"var(txn.path) -m reg '^{decoded_path(place.prefix)}'"])
        text = _quoted(place.prefix)
        return self._name(place.prefix, "path", [f"var(txn.path) -m str {text}", f"var(txn.path) -m beg {text}/"])

    def _name(self, key: str, kind: str, tests: list[str]) -> str:
        if key not in self._names:
            number = sum(name.startswith(kind) for name in self._names.values()) + 1
            self._names[key] = f"{kind}_{number}"
            self.lines += [f"    acl {self._names[key]} {test}" for test in tests]
        return self._names[key]


def _host(host: str) -> str:
    return f"-m reg '^{host_pattern(host)}$'" if any(mark in host for mark in "*{[") else f"-m str {host}"


def _rules(export: Export, host: HostTable, conditions: _Conditions) -> Iterator[str]:
    where = conditions.host(host)
    *others, root = host.places
    for place in others:
        yield f"    use_backend {_backend(export, place.unit)} if {' '.join([*where, conditions.path(place)])}"
    if where:
        yield f"    use_backend {_backend(export, root.unit)} if {' '.join(where)}"
    else:
        yield f"    default_backend {_backend(export, root.unit)}"


def _backend(export: Export, unit: str) -> str:
    return f"{export.name}-{unit}"


def _backends(export: Export) -> Iterator[str]:
    checks = find_health(export) if export.manage else {}
    for unit in export.units:
        yield ""
        yield f"# {', '.join(mount.name for mount in unit.mounts if not mount.is_member)}"
        yield f"backend {_backend(export, unit.name)} from {export.name}"
        check = ""
        if (health := checks.get(unit.name)) and health.ask:
            yield f"    option httpchk GET /readyz  # of the unit's --manage {health.listen}:{health.port}"
            check = f" check inter 1s fall 1 rise 1 addr {health.ask} port {health.port}"
        yield f"    server {unit.name} {export.addresses[unit.name].replace('unix:', 'unix@', 1)}{check}"


def _quoted(text: str) -> str:
    """Return a word of haproxy's configuration."""
    escaped = (char if re.match("[A-Za-z0-9/_.~+@-]", char) else _as_bytes(char) for char in text)
    return "".join(escaped)


def _as_bytes(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode())
