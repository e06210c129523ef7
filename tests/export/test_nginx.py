"""The file for nginx."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from multiserve.export.nginx import render


@pytest.fixture
def accepted(tmp_path):
    """Return whether nginx takes a file, or skip the test where there is no nginx."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if nginx is None:
        pytest.skip("no nginx on this machine")

    def accepted(text):
        (tmp_path / "site.conf").write_text(text)
        (tmp_path / "nginx.conf").write_text(
            f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; include site.conf; }}\n"
        )
        command = [nginx, "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    return accepted


def blocks(text, *begins):
    """Return the blocks of a file that begin with these words."""
    found = [f"{block}}}" for block in text.replace("\n}\n", "\n\0").split("\0")]
    return "\n".join(
        block[block.index(begin) :].replace("\n}", "\n}")
        for begin in begins
        for block in found
        if f"\n{begin}" in block
    )


PLAIN = """\
map $request_uri $multiserve_unit {
    default multiserve_root;
    # /a
    "~^(?:/|%2[Ff])(?:a|%61)(?:/|%2[Ff]|[?#]|$)" multiserve_a;
}"""
HOSTS = """\
map $multiserve_host $multiserve_unit {
    default multiserve_root;
    "a.test" $multiserve_list_1;
    "~*^(?:[A-Za-z0-9_-]{1,63}[.])+b[.]test$" multiserve_b_test;
}"""
PORTS = """\
map $multiserve_host $multiserve_unit {
    default multiserve_root;
    "a.test:81" multiserve_a_test_81;
    "~*^a[.]test:" multiserve_a_test;
    "~*^(?:[A-Za-z0-9_-]{1,63}[.])+test:443$" multiserve_test_443;
}"""
UPSTREAM = """\
upstream multiserve_root {
    server unix:/run/root.sock;
    keepalive 16;
    keepalive_timeout 9s;  # less than the unit's own, which would meet a request
}"""
MAPS = [
    pytest.param('"/" = "a:app"\n"/a" = "b:app"', "map $request_uri", PLAIN, id="paths"),
    pytest.param(
        '"/" = "a:app"\n"a.test/x" = "b:app"\n"{t}.c.test" = "c:make"\n"*.b.test" = "d:app"',
        "map $multiserve_host",
        HOSTS,
        id="hosts",
    ),
    pytest.param(
        '"/" = "a:app"\n"a.test:81" = "b:app"\n"a.test" = "c:app"\n"*.test:443" = "d:app"',
        "map $multiserve_host",
        PORTS,
        id="ports",
    ),
]


@pytest.mark.parametrize(("mounts", "begin", "expected"), MAPS)
def test_maps(export, accepted, mounts, begin, expected):
    text = render(export(mounts))["multiserve.conf"]
    assert blocks(text, begin) == expected
    assert accepted(text) == ""


def test_upstreams(export, accepted):
    made = export('"/" = "a:app"', "[gunicorn]\nkeepalive = 10", addresses=["unix:/run/{unit}.sock"])
    text = render(made)["multiserve.conf"]
    assert blocks(text, "upstream") == UPSTREAM
    assert accepted(text) == ""
    assert "keepalive" not in render(export('"/" = "a:app"', "[gunicorn]\nkeepalive = 1"))["multiserve.conf"]


def test_two_sites_fit_into_one_nginx(export, accepted):
    mounts = '"/" = "a:app"\n"a.test:81/x" = "b:app"'
    texts = [render(export(mounts, name=name))[f"{name}.conf"] for name in ("shop", "my-blog")]
    assert accepted("\n".join([texts[0], texts[1].replace("listen 80;", "listen 81;")])) == ""


LONG = ".".join(["a" * 60] * 3)
STRANGE = [
    pytest.param(f'"{LONG}.test" = "a:app"\n"/" = "b:app"', id="a long host"),
    pytest.param('"/a\'b$c;d" = "a:app"\n"/" = "b:app"', id="characters of nginx"),
    pytest.param('\'/a"b\\c\' = "a:app"\n"/" = "b:app"', id="quotes"),
    pytest.param('"/é x" = "a:app"\n"/" = "b:app"', id="no ASCII"),
    pytest.param('"[::1]:81" = "a:app"\n"[::1]/x" = "b:app"', id="addresses"),
    pytest.param('"/{a}/b" = "a:make"\n"/" = "b:app"\n"/c" = "c:app"', id="placeholders"),
]


@pytest.mark.parametrize("mounts", STRANGE)
def test_nginx_takes_strange_keys(export, accepted, mounts):
    assert accepted(render(export(mounts))["multiserve.conf"]) == ""
