from __future__ import annotations

import asyncio
import importlib.util

import pytest

pytest.importorskip("aiohttp")

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.dispatch.concurrency import ASGILimit, ASGITenantsLimit
from multiserve.kinds.proxied import proxy_to
from multiserve.mounts.proxied.placeholders import ProxiedPlaceholders

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def compose_file(write_config):
    def composed(text, **options):
        return compose(load_config(write_config(text)), **options)

    return composed


def test_a_table_with_a_proxy_is_asgi(compose_file):
    composition = compose_file('[mounts]\n"/app" = { proxy = "http://127.0.0.1:9" }\n')
    assert (composition.interface, composition.failures) == ("asgi", ())
    [mount] = composition.mounts
    assert (mount.interface, mount.application.options.name) == ("asgi", "/app")


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        pytest.param('"/a" = { proxy = "http://a:1", max_concurrency = 2 }', ASGILimit, id="a limit"),
        pytest.param('"/{a}" = { proxy = "http://{a}:1" }', ProxiedPlaceholders, id="placeholders"),
        pytest.param('"/{a}" = { proxy = "http://{a}:1", max_concurrency = 2 }', ASGITenantsLimit, id="both"),
    ],
)
def test_what_answers(compose_file, entry, kind):
    composition = compose_file(f"[mounts]\n{entry}\n")
    route = next(iter(composition.application.router.rank("/a", "", "http")))
    assert isinstance(getattr(route.mount, "http", route.mount), kind)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            '[mounts]\n"/a" = { proxy = "http://localhost:8000" }\n',
            'mounts."/a": http://localhost:8000 is where this server listens itself: it would ask itself without end\n'
            "    Write the port of the other server.",
            id="its own port",
        ),
        pytest.param(
            '[mounts]\n"/a" = { proxy = "http://127.0.0.1:9000" }\n[gunicorn]\nbind = ["0.0.0.0:9000"]\n',
            'mounts."/a": http://127.0.0.1:9000 is where this server listens itself: it would ask itself without end\n'
            "    Write the port of the other server.",
            id="an address of gunicorn",
        ),
        pytest.param(
            '[mounts]\n"/a" = { proxy = "http://a:1", middleware = ["missing_one:nothing"] }\n',
            'mounts."/a".middleware: there is no module "missing_one"',
            id="middleware that is not there",
        ),
    ],
)
def test_what_cannot_be_served(compose_file, text, problem):
    [failed] = compose_file(text).failures
    assert str(failed.error).startswith(problem)


def test_without_aiohttp_the_extra_is_named(compose_file, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "aiohttp" else real(name, *more)
    )
    [failed] = compose_file('[mounts]\n"/a" = { proxy = "http://a:1" }\n').failures
    assert str(failed.error) == (
        'mounts."/a": a proxy needs aiohttp, which is not installed\n    Install it: pip install "multiserve[proxy]".'
    )


def test_a_system_without_unix_sockets_says_so(compose_file, monkeypatch):
    monkeypatch.delattr("socket.AF_UNIX")
    [failed] = compose_file('[mounts]\n"/a" = { proxy = "unix:a.sock" }\n').failures
    assert str(failed.error) == 'mounts."/a": this system has no unix sockets\n    Write http://127.0.0.1:port.'


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        pytest.param(
            0,
            {
                "Host": "shop.test",
                "X-Forwarded-For": "192.0.2.7",
                "X-Forwarded-Proto": "http",
                "X-Forwarded-Host": "shop.test",
                "X-Forwarded-Port": "80",
                "X-Forwarded-Prefix": "/a",
            },
            id="nobody is trusted",
        ),
        pytest.param(
            1,
            {
                "Host": "front.test:8443",
                "X-Forwarded-For": "198.51.100.1",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "front.test:8443",
                "X-Forwarded-Port": "8443",
                "X-Forwarded-Prefix": "/site/a",
            },
            id="the proxy in front is trusted",
        ),
    ],
)
def test_the_server_learns_what_multiserve_believes(write_config, serve_raw, hops, expected):
    """One value each, whatever is in front: the server trusts one proxy, and nothing that a client has written."""
    server = serve_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    entry = f'"/a" = {{ proxy = "http://127.0.0.1:{server.port}", strip = true }}'
    config = load_config(write_config(f"[mounts]\n{entry}\n[server]\ntrusted_proxies = {hops}\n"))
    application = compose(config).application
    told = {"for": "9.9.9.9, 198.51.100.1", "proto": "https", "host": "front.test:8443", "prefix": "/site"}
    headers = [(f"x-forwarded-{name}".encode(), value.encode()) for name, value in told.items()]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/a/x", "raw_path": b"/a/x",
        "root_path": "", "query_string": b"", "client": ("192.0.2.7", 1), "server": ("127.0.0.1", 80),
        "headers": [(b"host", b"shop.test"), (b"forwarded", b"for=9.9.9.9"), *headers],
    }  # fmt: skip

    async def ask():
        done = asyncio.Event()

        async def once():
            if done.is_set():
                await asyncio.Event().wait()
            done.set()
            return {"type": "http.request"}

        async def send(_message):
            await asyncio.sleep(0)

        await application.lifespans.start()
        await application(scope, once, send)
        await application.lifespans.stop(5)

    asyncio.run(ask())
    [head] = server.heads
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert lines == {**expected, "Via": "1.1 multiserve"}


def test_a_server_for_wsgi_cannot_serve_it(compose_file):
    [failed] = compose_file('[mounts]\n"/a" = { proxy = "http://a:1" }\n', interface="wsgi").failures
    assert str(failed.error).startswith('mounts."/a": a proxy is ASGI, which a WSGI server cannot serve')


def test_the_options_of_the_file_count(write_config):
    config = load_config(
        write_config(
            '[mounts]\n"/a" = { proxy = "http://a:1/b", strip = true, host = "target", timeout = 7 }\n'
            "[server]\nstrict = true\n"
        )
    )
    options = proxy_to(config.mounts[0], config).options
    assert (options.prefix, options.timeout, options.strip, options.keeps_host, options.is_required) == (
        "/a", 7, True, False, True,
    )  # fmt: skip
