from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.mounts.proxied.placeholders import UPSTREAM_KEY, ProxiedPlaceholders
from multiserve.upstreams import parse_upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(("a", "5173"), "http://127.0.0.1:5173", id="a port"),
        pytest.param(("a", "x"), None, id="no port"),
        pytest.param(("a", "80@evil.test"), None, id="another host"),
    ],
)
def test_values_lead_to_a_server_or_nowhere(run, values, expected):
    led = []

    async def application(scope, _receive, _send):
        led.append(scope[UPSTREAM_KEY].at(""))

    upstream = parse_upstream("http://127.0.0.1:{port}", Path.cwd())
    mount = ProxiedPlaceholders(upstream, ("name", "port"), application)

    async def whole():
        claimed = await mount.claim(values, "/a")
        if claimed is not None:
            await claimed({"type": "http"}, None, None)
        await mount.stop(1)
        return claimed

    assert (run(whole) is None) is (expected is None)
    assert led == ([expected] if expected else [])


@pytest.mark.parametrize("kind", ["port", "socket"])
def test_the_proxy_asks_the_server_that_the_scope_names(serve_raw, proxy, scope, ask, tmp_path, kind):
    server = serve_raw(OK, str(tmp_path / "a.sock") if kind == "socket" else "")
    target = f"unix:{tmp_path}/{{x}}.sock" if kind == "socket" else "http://127.0.0.1:{x}"
    mount = proxy(target)
    filled = mount.upstream.fill({"x": "a" if kind == "socket" else str(server.port)})
    assert ask(mount, scope(**{UPSTREAM_KEY: filled})).body == b"ok"
