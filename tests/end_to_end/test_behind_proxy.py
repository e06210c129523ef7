"""Real proxies in front of `multiserve run --production`, as docs/deployment.md configures them."""

from __future__ import annotations

import configparser
import json
import os
import random
import re
import shlex
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from websockets.sync.client import connect

from multiserve.export.expressions import escaped_path

pytestmark = pytest.mark.xdist_group("proxies")

DOCUMENT = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text("utf-8")
APPLICATIONS = Path(__file__).parent / "proxied"
SOCKET = "/run/multiserve/multiserve.sock"
CLIENT = "127.0.0.9"  # an address of this machine that no proxy has
PATIENCE = 20.0  # seconds
MOUNTS = {
    "wsgi": '"/" = "pages:root"\n"/admin" = "pages:admin"\n"guarded.test" = "pages:guarded"\n',
    "mixed": '"/" = "live:root"\n"/admin" = "pages:admin"\n"guarded.test" = "pages:guarded"\n',
}
PROXIES = {"nginx": ("nginx", "openssl"), "caddy": ("caddy",), "haproxy": ("haproxy",)}  # and what each needs here
PATH = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
UNIX = {"nginx": "unix:", "caddy": "unix/", "haproxy": "unix@"}  # how each writes a socket
FRONTS = [(proxy, mounts, way) for proxy in PROXIES for mounts in MOUNTS for way in ("unix", "tcp")]


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


[SETTINGS], [UNIT] = snippets("toml"), snippets("ini")
[NGINX, SECOND_NGINX], [CADDY], [HAPROXY] = snippets("nginx"), snippets("caddy"), snippets("haproxy")


def replaced(text, *pairs):
    """Replace what has to be there."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


def service():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(UNIT)
    return unit["Service"]


def free_ports():
    """Give ports that are free, from where the system takes none by itself before the proxies have them."""
    for port in random.sample(range(10_000, 30_000), 1000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        yield port


class Site:
    """One multiserve, on a unix socket and on a port."""

    def __init__(self, start, folder, mounts, proxies, *arguments, **environ):
        shutil.copytree(APPLICATIONS, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        settings = replaced(
            SETTINGS,
            ("trusted_proxies = 1", f"trusted_proxies = {proxies}"),
            (SOCKET, str(folder / "site.sock")),
            ("127.0.0.1:8000", "127.0.0.1:0"),
        )
        more = 'workers = 1\naccesslog = "-"\n'
        (folder / "multiserve.toml").write_text(f"[mounts]\n{MOUNTS[mounts]}{settings}{more}")
        arguments = arguments or shlex.split(service()["ExecStart"])[1:]
        self.running = start(*arguments, cwd=folder, env={"FORWARDED_ALLOW_IPS": "*", **environ})
        self.path = str(folder / "site.sock")

    def connect(self, way):
        if way == "tcp":
            return dial(int(self.running.address.rpartition(":")[2]))
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(self.path)
        return connection


def read_until(connection, mark):
    data = b""
    while mark not in data:
        more = connection.recv(65536)
        assert more, "the connection is closed"
        data += more
    return data


def dial(port):
    return socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(CLIENT, 0))


@pytest.fixture(scope="module")
def sites(start_for_module, tmp_path_factory):
    """Start all of them at the same time."""
    told = tmp_path_factory.mktemp("systemd") / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(told))
        started = {
            (mounts, proxies): Site(
                start_for_module,
                tmp_path_factory.mktemp("site"),
                mounts,
                proxies,
                **({"NOTIFY_SOCKET": str(told)} if (mounts, proxies) == ("wsgi", 2) else {}),
            )
            for mounts, proxies in [("wsgi", 1), ("mixed", 1), ("wsgi", 0), ("mixed", 0), ("wsgi", 2)]
        }
        for mounts in MOUNTS:
            folder, development = tmp_path_factory.mktemp("site"), ("run", "--no-reload", "--port", "0")
            started[mounts, "development"] = Site(start_for_module, folder, mounts, 0, *development)
        for site in started.values():
            site.running.ready()
        notified.settimeout(PATIENCE)
        started["wsgi", 2].notification = notified.recv(1000).decode()
    yield started
    for site in started.values():  # all at once: each waits a while for the connections that the proxies keep
        site.running.signal("SIGTERM")


def nginx_server(name, upstream, port, tls_port):
    return replaced(
        NGINX,
        (f"unix:{SOCKET}", upstream),
        ("upstream multiserve", f"upstream {name}"),
        ("http://multiserve", f"http://{name}"),
        ("$connection_upgrade", f"$upgrade_of_{name}"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{tls_port} ssl;"),
        ("/etc/ssl/example.com.crt", "tls.crt"),
        ("/etc/ssl/example.com.key", "tls.key"),
    )


def second_nginx_server(*arguments):
    """Give the configuration of a second proxy: its lines stand in place of those of the first."""
    text = nginx_server(*arguments)
    for line in SECOND_NGINX.splitlines():
        name = line.split()[1]
        text, count = re.subn(rf"proxy_set_header {name} .*;", line.replace("\\", r"\\"), text)
        assert count == 1
    return text


def caddy_site(upstream, port):
    return replaced(CADDY, (f"unix/{SOCKET}", upstream), ("example.com {", f"http://:{port} {{"))


def haproxy_sections(name, upstream, port):
    text = replaced(HAPROXY, (f"unix@{SOCKET}", upstream), ("bind :80", f"bind 127.0.0.1:{port}"))
    return re.sub(r"(frontend|backend) (\w+)", rf"\1 \2_{name}", text)


def start_nginx(start, program, folder, servers):
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=shop.test"
    subprocess.run(
        [*make.split(), "-keyout", "tls.key", "-out", "tls.crt"], cwd=folder, capture_output=True, check=True
    )
    user = "user root;" if os.getuid() == 0 else ""
    temporary = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{main}http {{\naccess_log off;\n{temporary}{''.join(servers)}}}\n")
    return start("-c", str(folder / "nginx.conf"), "-e", "stderr", cwd=folder, command=(program,))


def start_caddy(start, program, folder, servers):
    (folder / "Caddyfile").write_text("{\nadmin off\nauto_https off\n}\n" + "".join(servers))
    environ = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    return start("run", "--config", "Caddyfile", cwd=folder, command=(program,), env=environ)


def start_haproxy(start, program, folder, servers):
    (folder / "haproxy.cfg").write_text("".join(servers))
    return start("-db", "-f", "haproxy.cfg", cwd=folder, command=(program,))


STARTERS = {"nginx": start_nginx, "caddy": start_caddy, "haproxy": start_haproxy}


def configure(sites):
    """Give a port for each site and way to it, and the configuration of each proxy, with all of them in it."""
    numbers = free_ports()
    ports = {}
    servers = {proxy: [] for proxy in PROXIES}
    for front in FRONTS:
        proxy, mounts, way = front
        site, name, port = sites[mounts, 1], f"{mounts}_{way}", next(numbers)
        upstream = site.running.address if way == "tcp" else UNIX[proxy] + site.path
        ports[front] = port
        if proxy == "nginx":
            ports["nginx over TLS", mounts, way] = tls_port = next(numbers)
            servers[proxy].append(nginx_server(name, upstream, port, tls_port))
        elif proxy == "caddy":
            servers[proxy].append(caddy_site(upstream, port))
        else:
            servers[proxy].append(haproxy_sections(name, upstream, port))
    second, tls_port, ports["two proxies"] = (next(numbers) for _ in range(3))
    servers["caddy"].append(caddy_site(f"127.0.0.1:{second}", ports["two proxies"]))
    servers["nginx"].append(second_nginx_server("second", f"unix:{sites['wsgi', 2].path}", second, tls_port))
    return ports, servers


@pytest.fixture(scope="module")
def ports(sites, start_for_module, tmp_path_factory):
    """Start each proxy that is installed, in front of all sites; give its ports."""
    ports, servers = configure(sites)
    missing = {
        proxy: [each for each in needed if not shutil.which(each, path=PATH)] for proxy, needed in PROXIES.items()
    }
    started = {
        proxy: start(start_for_module, shutil.which(proxy, path=PATH), tmp_path_factory.mktemp(proxy), servers[proxy])
        for proxy, start in STARTERS.items()
        if not missing[proxy]
    }
    for front, port in ports.items():
        proxy = "caddy" if front == "two proxies" else front[0].partition(" ")[0]
        if proxy in started:
            started[proxy].until(lambda port=port: dial(port).close() or True, f"{proxy} on port {port}")

    def port_of(front, *needed):
        for proxy in needed:
            if missing[proxy]:
                pytest.skip(f"not installed: {', '.join(missing[proxy])}")
        return ports[front]

    return port_of


@pytest.fixture
def ask(read_response):
    """Send one request over a connection, and read the response."""

    def ask(connection, target, *lines, host="shop.test"):
        with connection:
            head = [f"GET {target} HTTP/1.1", f"Host: {host}", *lines, "Connection: close", "", ""]
            connection.sendall("\r\n".join(head).encode())
            return read_response(b"".join(iter(lambda: connection.recv(65536), b"")))

    return ask


def names(front):
    return "-".join(front)


@pytest.fixture(params=FRONTS, ids=names)
def front(request):
    return request.param


@pytest.fixture
def port(front, ports):
    return ports(front, front[0])


PLACES = [
    # path -> mount, prefix
    ("/where", "root", ""),
    ("/admin/where", "admin", "/admin"),
    ("/shop/where", "root", "/shop"),
    ("/shop/admin/where", "admin", "/shop/admin"),
]


def test_links_and_the_client_are_right_whether_the_proxy_strips_the_prefix_or_leaves_it(port, ask):
    host = f"shop.test:{port}"
    answers = {path: json.loads(ask(dial(port), path, host=host).body) for path, *_ in PLACES}
    assert answers == {
        path: {"mount": mount, "url": f"http://{host}{path}", "prefix": prefix, "client": CLIENT}
        for path, mount, prefix in PLACES
    }


@pytest.mark.parametrize("prefix", ["", "/admin", "/shop", "/shop/admin"])
def test_redirects_lead_back_through_the_proxy(port, ask, prefix):
    host = f"shop.test:{port}"
    jump, leap = (ask(dial(port), f"{prefix}/{name}", host=host) for name in ("jump", "leap"))
    assert (jump.status in (302, 307), jump.location) == (True, f"{prefix}/where")
    assert leap.location == f"http://{host}{prefix}/where"


def test_a_target_in_absolute_form_has_its_prefix_stripped_as_well(port, ask):
    url = f"http://shop.test:{port}/shop/admin/where"
    answer = json.loads(ask(dial(port), url, host=f"shop.test:{port}").body)
    assert answer == {"mount": "admin", "url": url, "prefix": "/shop/admin", "client": CLIENT}


RAW = [
    pytest.param("/sh%6fp/admin/where", "/shop/admin", id="an escaped letter in what is stripped"),
    pytest.param("/shop%2Fadmin/where", "/shop/admin", id="an escaped slash behind it"),
    pytest.param("/shop/admin%2Fwhere", "/shop/admin", id="an escaped slash below"),
    pytest.param("/%61dmin/where", "/admin", id="an escaped letter without stripping"),
]


@pytest.fixture(params=[each for each in FRONTS if each[0] != "caddy"], ids=names)
def raw_port(request, ports):
    """Return the port of a proxy that hands on the path as it came; Caddy resolves and decodes what it strips."""
    return ports(request.param, request.param[0])


@pytest.mark.parametrize(("target", "prefix"), RAW)
def test_what_is_escaped_comes_to_the_same_mount(raw_port, ask, target, prefix):
    answer = json.loads(ask(dial(raw_port), target).body)
    assert (answer["mount"], answer["prefix"]) == ("admin", prefix)


@pytest.mark.parametrize(
    "target", ["/shop/x/../admin/where", "//admin/where", "/shop//admin/where", "/x/../admin/where"]
)
def test_a_path_is_not_resolved_on_its_way(raw_port, ask, target):
    assert ask(dial(raw_port), target).status == 404


def test_what_is_stripped_is_matched_as_in_an_export():
    expression = escaped_path("/shop").removesuffix("(?:/|%2[Ff]|[?#]|$)")
    assert NGINX.count(f"^{expression}(?:/|%2[Ff])") == 2
    assert HAPROXY.count(f"^{expression}(?:/|%2[Ff])".replace("?:", "")) == 2


def test_a_prefix_that_is_doubled_is_stripped_once(port, ask):
    assert ask(dial(port), "/shop/shop/admin/where").status == 404


FORGED = [
    "X-Forwarded-For: 6.6.6.6",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Ssl: on",
    "X-Forwarded-Protocol: ssl",
    "X-Forwarded-Host: guarded.test",
    "X-Forwarded-Port: 666",
    "X-Forwarded-Prefix: /admin",
    "X_Forwarded_For: 6.6.6.6",
    "X_Forwarded_Prefix: /admin",
    "SCRIPT_NAME: /where",
    "Script-Name: /where",
    "PATH_INFO: /admin/where",
    "Path-Info: /admin/where",
    "REMOTE_ADDR: 6.6.6.6",
    "Forwarded: for=6.6.6.6;host=guarded.test;proto=https",
]


@pytest.mark.parametrize("path", ["/where", "/shop/admin/where"])
def test_a_client_that_forges_headers_moves_nothing(port, ask, path):
    host = f"shop.test:{port}"
    honest = ask(dial(port), path, host=host).text
    assert json.loads(honest)["client"] == CLIENT
    assert {line: ask(dial(port), path, line, host=host).text for line in FORGED} == dict.fromkeys(FORGED, honest)


@pytest.mark.parametrize(("server", "way"), [(0, "unix"), (0, "tcp"), ("development", "tcp")])
@pytest.mark.parametrize("mounts", MOUNTS)
def test_without_a_trusted_proxy_nothing_is_believed(sites, ask, mounts, server, way):
    site = sites[mounts, server]
    honest = ask(site.connect(way), "/admin/where").text
    expected = {"mount": "admin", "url": "http://shop.test/admin/where", "prefix": "/admin"}
    assert json.loads(honest) == {**expected, "client": CLIENT if way == "tcp" else ""}
    answers = {line: ask(site.connect(way), "/admin/where", line).text for line in FORGED}
    assert answers == dict.fromkeys(FORGED, honest)


def test_a_host_that_the_proxy_has_not_chosen_by_is_not_reached(port, ask):
    assert ask(dial(port), "/where", host="guarded.test").text.startswith('{"client"')
    assert json.loads(ask(dial(port), "/where", host="guarded.test").body)["mount"] == "guarded"
    other = ask(dial(port), f"http://shop.test:{port}/where", host="guarded.test")
    assert other.status == 400 or json.loads(other.body)["mount"] == "root"


@pytest.mark.parametrize("mounts", MOUNTS)
@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_the_scheme_is_that_of_the_client(ports, ask, mounts, way):
    port = ports(("nginx over TLS", mounts, way), "nginx")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    answer = ask(context.wrap_socket(dial(port)), "/shop/admin/where", host=f"shop.test:{port}")
    expected = {"mount": "admin", "url": f"https://shop.test:{port}/shop/admin/where", "prefix": "/shop/admin"}
    assert json.loads(answer.body) == {**expected, "client": CLIENT}


@pytest.mark.parametrize("prefix", ["", "/shop"])
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_websocket_passes(ports, proxy, prefix):
    port = ports((proxy, "mixed", "unix"), proxy)
    url = f"ws://127.0.0.1:{port}{prefix}/listen"
    with connect(url, sock=dial(port), proxy=None) as websocket:
        assert json.loads(websocket.recv(PATIENCE)) == {"mount": "root", "url": url, "prefix": prefix, "client": CLIENT}
        websocket.send("over and out")
        assert websocket.recv(PATIENCE) == "over and out"


@pytest.mark.parametrize("proxy", PROXIES)
def test_an_event_does_not_wait_for_the_next_one(ports, ask, proxy):
    port = ports((proxy, "mixed", "tcp"), proxy)
    with dial(port) as connection:
        connection.sendall(b"GET /events/stream HTTP/1.0\r\nHost: shop.test\r\n\r\n")
        assert b"second" not in read_until(connection, b"first\n\n")
        ask(dial(port), "/go")
        read_until(connection, b"second")


@pytest.mark.parametrize("path", ["/where", "/admin/where", "/shop/where", "/shop/shop/admin/where"])
@pytest.mark.parametrize("forged", ["", *FORGED])
def test_behind_two_proxies_the_outer_one_counts(ports, ask, path, forged):
    port = ports("two proxies", "nginx", "caddy")
    host = f"shop.test:{port}"
    answer = ask(dial(port), path, *filter(None, [forged]), host=host)
    mount = "admin" if "admin" in path else "root"
    expected = {"mount": mount, "url": f"http://{host}{path}", "prefix": path.removesuffix("/where")}
    assert json.loads(answer.body) == {**expected, "client": CLIENT}


def test_one_value_is_too_few_behind_two_proxies(sites, ask):
    site = sites["wsgi", 2]
    honest = ask(site.connect("tcp"), "/where").text
    assert {line: ask(site.connect("tcp"), "/where", line).text for line in FORGED} == dict.fromkeys(FORGED, honest)


@pytest.mark.parametrize("mounts", MOUNTS)
def test_the_access_log_has_the_address_of_the_client(sites, ports, ask, mounts):
    ask(dial(ports(("nginx", mounts, "unix"), "nginx")), f"/admin/where?{mounts}")
    sites[mounts, 1].running.until_logged(f"/admin/where?{mounts} HTTP/1.1")
    [line] = [line for line in sites[mounts, 1].running.log.splitlines() if f"?{mounts} " in line]
    assert line.startswith(f"{CLIENT} - - [")


def test_the_service_tells_systemd_that_it_is_ready_and_reloads(sites, ask):
    site = sites["wsgi", 2]
    assert service()["Type"] == "notify"
    assert "READY=1" in site.notification.splitlines()
    before = site.running.log.count("Booting worker")
    command = service()["ExecReload"].replace("$MAINPID", str(site.running.pid))
    subprocess.run(shlex.split(command), check=True)
    site.running.until_logged("Booting worker", before + 1)
    assert ask(site.connect("unix"), "/where").status == 200
