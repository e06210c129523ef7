"""The file for haproxy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from multiserve.export.haproxy import render


@pytest.fixture
def complaints(tmp_path):
    """Return what haproxy says about a file, or skip the test where there is no haproxy."""
    haproxy = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if haproxy is None:
        pytest.skip("no haproxy on this machine")

    def complaints(text):
        (tmp_path / "site.cfg").write_text(text)
        command = [haproxy, "-c", "-q", "-f", str(tmp_path / "site.cfg")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stderr, done.returncode

    return complaints


def rules(text):
    """Return the conditions and the rules of the front."""
    kept = ("    acl ", "    use_backend ", "    default_backend ", "    http-request set-var")
    return "".join(f"{line[4:]}\n" for line in text.splitlines() if line.startswith(kept))


PATH = """http-request set-var(txn.path) 'path,regsub("%(?![0-9A-Fa-f]{2})","%25",g),url_dec'\n"""
NAME = (
    "http-request set-var(txn.host) 'req.hdr(host),lower,"
    'regsub("[.]?(?::(?:(?=[0-9]{1,5}$)0*(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?)?$","")\'\n'
)
RULES = [
    pytest.param('"/" = "a:app"', "default_backend multiserve-root\n", id="one unit"),
    pytest.param(
        '"/" = "a:app"\n"/a" = "b:app"\n"/a/é x" = "c:app"',
        f"""\
{PATH}acl path_1 var(txn.path) -m str /a/\\xc3\\xa9\\x20x
acl path_1 var(txn.path) -m beg /a/\\xc3\\xa9\\x20x/
acl path_2 var(txn.path) -m str /a
acl path_2 var(txn.path) -m beg /a/
use_backend multiserve-a-e-x if path_1
use_backend multiserve-a if path_2
default_backend multiserve-root
""",
        id="paths",
    ),
    pytest.param(
        '"/" = "a:app"\n"a.test" = "b:app"\n"*.b.test" = "c:app"\n"[::1]/x" = { redirect = "/" }',
        f"""\
{NAME}acl host_1 var(txn.host) -m str a.test
acl host_2 var(txn.host) -m reg '^(?:[A-Za-z0-9_-]{{1,63}}[.])+b[.]test$'
use_backend multiserve-a-test if host_1
use_backend multiserve-b-test if host_2
default_backend multiserve-root
""",
        id="hosts",
    ),
    pytest.param(
        '"/" = "a:app"\n"a.test:443" = "b:app"\n"a.test/x" = "c:app"',
        f"""\
{PATH}{NAME}http-request set-var(txn.port) 'req.hdr(host),regsub("^.*:0*","")'
acl has_port req.hdr(host) -m reg ':[0-9]+$'
http-request set-var(txn.port) str(80) if !has_port !{{ ssl_fc }}
http-request set-var(txn.port) str(443) if !has_port {{ ssl_fc }}
acl host_1 var(txn.host) -m str a.test
acl port_1 var(txn.port) -m str 443
acl path_1 var(txn.path) -m str /x
acl path_1 var(txn.path) -m beg /x/
use_backend multiserve-a-test-443 if host_1 port_1
use_backend multiserve-a-test-x if host_1 path_1
use_backend multiserve-root if host_1
default_backend multiserve-root
""",
        id="ports",
    ),
]


@pytest.mark.parametrize(("mounts", "expected"), RULES)
def test_rules(export, complaints, mounts, expected):
    text = render(export(mounts))["multiserve.cfg"]
    assert rules(text) == expected
    assert complaints(text) == ("", 0)


def test_a_backend_for_each_unit(export, complaints):
    made = export('"/" = "a:app"\n"/b" = "b:app"', addresses=["root=unix:/run/root.sock"], listen=8080, name="shop")
    text = render(made)["shop.cfg"]
    assert text.endswith("""
# /
backend shop-root from shop
    server root unix@/run/root.sock

# /b
backend shop-b from shop
    server b 127.0.0.1:8002
""")
    assert "\n    bind :8080\n" in text
    assert complaints(text) == ("", 0)


CHECKS = [
    pytest.param(
        ["unix:/run/{unit}.sock"],
        [
            "unix@/run/root.sock check inter 1s fall 1 rise 1 addr 127.0.0.1 port 9000",
            "unix@/run/b.sock check inter 1s fall 1 rise 1 addr 127.0.0.1 port 9001",
        ],
        id="on one machine each has a port of its own",
    ),
    pytest.param(
        ["{unit}.test:8000"],
        [
            "root.test:8000 check inter 1s fall 1 rise 1 addr root.test port 9000",
            "b.test:8000 check inter 1s fall 1 rise 1 addr b.test port 9000",
        ],
        id="on several machines it is that of the file",
    ),
]


@pytest.mark.parametrize(("addresses", "expected"), CHECKS)
def test_where_the_file_has_a_listener_for_health_it_is_asked(export, addresses, expected):
    made = export('"/" = "a:app"\n"/b" = "b:app"', '[server]\nmanage = "0.0.0.0:9000"', addresses=addresses)
    text = render(made)["multiserve.cfg"]
    assert re.findall(r"server \S+ (.*)", text)[-2:] == expected
    assert text.count("    option httpchk GET /readyz") == 2
    socket_alone = export('"/" = "a:app"', '[server]\nmanage = "unix:manage.sock"')
    assert "check" not in render(socket_alone)["multiserve.cfg"].partition("backend")[2]


STRANGE = [
    pytest.param('"/a\'b$c;d" = "a:app"\n"/" = "b:app"', id="quotes and dollars"),
    pytest.param('\'/a"b\\c\' = "a:app"\n"/" = "b:app"', id="quotes and backslashes"),
    pytest.param('"[::1]:81" = "a:app"\n"[::1]/x" = "b:app"', id="addresses"),
    pytest.param('"/{a}/b" = "a:make"\n"/" = "b:app"\n"/c" = "c:app"', id="placeholders"),
]


@pytest.mark.parametrize("mounts", STRANGE)
def test_haproxy_takes_strange_keys(export, complaints, mounts):
    assert complaints(render(export(mounts))["multiserve.cfg"]) == ("", 0)
