"""nginx in front of the units, by a map over the request target as the client wrote it.

A `location` would match a path that nginx has decoded and resolved, which is another one than multiserve goes by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from multiserve.export.expressions import HOST, PORT, escaped_path, host_pattern
from multiserve.export.model import Export
from multiserve.export.table import HostTable, Place

FILE = "{name}.conf"
_LONGEST_KEY = 40  # characters of a host that nginx's tables have room for as they are
_KEEPALIVE = 5  # seconds: what multiserve sets, if [gunicorn] has nothing


def render(export: Export) -> Mapping[str, str]:
    """Return the file, which belongs into the `http` block."""
    return {FILE.format(name=export.name): "\n".join([*_introduction(), *_parts(export, _Names(export)), ""])}


class _Names:
    """The names of variables and upstreams, which all files of one nginx share."""

    def __init__(self, export: Export) -> None:
        self._begin = export.name.replace("-", "_")

    def variable(self, what: str) -> str:
        return f"${self._begin}_{what}"

    def upstream(self, unit: str) -> str:
        return f"{self._begin}_{unit.replace('-', '_')}"


def _introduction() -> Iterator[str]:
    yield "# Include it in the http block, as nginx does with /etc/nginx/conf.d/*.conf. It answers for every host that"
    yield "# no other server block has. Each unit has to trust this one proxy, and runs with --trusted-proxies 1."
    yield "# Responses and uploads are handed on as they come: event streams and the limits for slow clients are as"
    yield "# without nginx."


def _parts(export: Export, names: _Names) -> Iterator[str]:
    yield from _upstreams(export, names)
    yield ""
    yield "# The host that the client means: that of a whole URL in the request line counts over the Host header."
    yield f"map $request {names.variable('authority')} {{"
    yield "    default $http_host;"
    yield r'    "~^[^ ]+ +[A-Za-z][A-Za-z0-9+.-]*://(?<ms_target>[^/?# ]*)" $ms_target;'
    yield "}"
    yield "# To the units HTTP/1.1 is spoken, which needs one: a client of HTTP/1.0 may have none."
    yield f"map {names.variable('authority')} {names.variable('sent_host')} {{"
    yield f"    default {names.variable('authority')};"
    yield '    ""      $server_addr:$server_port;'
    yield "}"
    yield ""
    yield "# Only WebSockets are upgraded; for all others the connection to the unit stays open."
    yield f"map $http_upgrade {names.variable('upgrade')} {{"
    yield '    default      "";'
    yield "    ~*^websocket$ websocket;"
    yield "}"
    yield f"map {names.variable('upgrade')} {names.variable('connection')} {{"
    yield "    default   upgrade;"
    yield '    ""        "";'
    yield "}"
    yield from _lists(export, names)
    yield ""
    yield from _server(export, names)


def _upstreams(export: Export, names: _Names) -> Iterator[str]:
    keepalive = export.config.gunicorn.get("keepalive", _KEEPALIVE)
    for unit in export.units:
        yield ""
        yield f"# {', '.join(mount.name for mount in unit.mounts if not mount.is_member)}"
        yield f"upstream {names.upstream(unit.name)} {{"
        yield f"    server {export.addresses[unit.name]};"
        if isinstance(keepalive, int) and keepalive > 1:
            yield "    keepalive 16;"
            yield f"    keepalive_timeout {keepalive - 1}s;  # less than the unit's own, which would meet a request"
        yield "}"


def _lists(export: Export, names: _Names) -> Iterator[str]:
    """Yield a map of the paths of each pattern of hosts, and behind them that of the hosts."""
    chosen: dict[str, str] = {}  # for each pattern: the variable of its list, or the upstream if there is but one
    lists: dict[tuple[Place, ...], str] = {}
    for host in export.table.hosts:
        variable = names.variable("unit" if not export.table.has_hosts else f"list_{len(lists) + 1}")
        if len(host.places) == 1 and export.table.has_hosts:
            chosen[_shown(host)] = names.upstream(host.places[0].unit)
            continue
        if host.places not in lists:
            lists[host.places] = variable
            yield ""
            yield f"# The unit by the path, of which each character may stand escaped, for {_shown(host)}."
            yield f"map $request_uri {variable} {{"
            yield from _places(host.places, names)
            yield "}"
        chosen[_shown(host)] = lists[host.places]
    if export.table.has_hosts:
        yield from _hosts(export, names, chosen)


def _shown(host: HostTable) -> str:
    port = "" if host.port is None else f":{host.port}"
    return f"{host.host}{port}" if host.host else "any host"


def _places(places: Sequence[Place], names: _Names) -> Iterator[str]:
    *others, root = places
    yield f"    default {names.upstream(root.unit)};"
    for place in others:
        yield f"    # {place.prefix}"
        yield f'    "~^{escaped_path(place.prefix)}" {names.upstream(place.unit)};'


def _hosts(export: Export, names: _Names, chosen: Mapping[str, str]) -> Iterator[str]:
    authority, host = names.variable("authority"), names.variable("host")
    yield ""
    if export.table.has_ports:
        yield "# Host and port; nothing if the Host header is malformed."
        yield f'map "$scheme {authority}" {host} {{'
        yield '    default "";'
        yield f'    "~^http (?<ms_name>{HOST})[.]?:?$" "$ms_name:80";'
        yield f'    "~^https (?<ms_name>{HOST})[.]?:?$" "$ms_name:443";'
        yield f'    "~^https? (?<ms_name>{HOST})[.]?:(?=[0-9]{{1,5}}$)0*(?<ms_port>{PORT})$" "$ms_name:$ms_port";'
    else:
        yield "# The host without its port; nothing if the Host header is malformed."
        yield f"map {authority} {host} {{"
        yield '    default "";'
        yield f'    "~^(?<ms_name>{HOST})[.]?(?::(?:(?=[0-9]{{1,5}}$)0*{PORT})?)?$" $ms_name;'
    yield "}"
    yield ""
    yield "# The unit by the host: of several patterns that match, the first one counts."
    yield f"map {host} {names.variable('unit')} {{"
    *others, anywhere = export.table.hosts
    yield f"    default {chosen[_shown(anywhere)]};"
    for each in others:
        yield f"    {_host_key(each, has_ports=export.table.has_ports)} {chosen[_shown(each)]};"
    yield "}"


def _host_key(host: HostTable, *, has_ports: bool) -> str:
    """Return what matches a host in a map: a text, which nginx looks up at once, or a regular expression."""
    is_exact = not any(mark in host.host for mark in "*{[")
    if is_exact and (host.port is not None or not has_ports) and len(host.host) <= _LONGEST_KEY:
        return f'"{host.host}"' if host.port is None else f'"{host.host}:{host.port}"'
    port = ("$" if not has_ports else ":") if host.port is None else f":{host.port}$"
    return f'"~*^{host_pattern(host.host)}{port}"'


def _server(export: Export, names: _Names) -> Iterator[str]:
    yield "server {"
    yield f"    listen {export.listen};"
    yield "    # listen 443 ssl;  # with ssl_certificate and ssl_certificate_key"
    yield '    server_name "~." "";'
    yield ""
    yield "    client_max_body_size 0;  # the applications decide"
    yield "    large_client_header_buffers 8 16k;"
    yield ""
    yield "    location / {"
    yield f"        proxy_pass http://{names.variable('unit')};  # without a path: the target stays as it came"
    yield "        proxy_http_version 1.1;"
    yield f"        proxy_set_header Host               {names.variable('sent_host')};"
    yield f"        proxy_set_header Upgrade            {names.variable('upgrade')};"
    yield f"        proxy_set_header Connection         {names.variable('connection')};"
    yield "        proxy_set_header X-Forwarded-For    $proxy_add_x_forwarded_for;"
    yield "        proxy_set_header X-Forwarded-Proto  $scheme;"
    yield '        proxy_set_header X-Forwarded-Host   "";  # the Host header has the host and the port of the client'
    yield '        proxy_set_header X-Forwarded-Port   "";'
    yield '        proxy_set_header X-Forwarded-Prefix "";'
    yield "        proxy_set_header X-Request-ID       $request_id;  # not that of a client"
    yield "        proxy_redirect off;"
    yield "        proxy_buffering off;"
    yield "        proxy_request_buffering off;"
    yield "        proxy_buffer_size 16k;"
    yield "        proxy_buffers 8 16k;"
    yield "        proxy_read_timeout 1h;"
    yield "        proxy_send_timeout 1h;"
    yield "        proxy_next_upstream error;  # and what is not idempotent is never sent twice"
    yield "    }"
    yield "}"
