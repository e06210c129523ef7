"""The page of the development server."""

from __future__ import annotations

import asyncio
import json

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.servers.development.page import DevelopmentPage, path_of

TOML = """[mounts]
"/shop" = "shop"
"/a&b" = "broken"
"{tenant}.example.com" = "shop:make"
"""


def write_site(folder, text=TOML):
    (folder / "shop.py").write_text("def application(environ, start_response): ...\ndef make(tenant): ...\n")
    (folder / "broken.py").write_text('raise RuntimeError("<script>why</script>")\n')
    (folder / "multiserve.toml").write_text(text)
    return load_config(folder / "multiserve.toml")


@pytest.fixture
def page(tmp_path):
    return DevelopmentPage(compose(write_site(tmp_path), development=True), "http://127.0.0.1:8000")


def ask_wsgi(page, path, client="127.0.0.1", host="localhost:8000", accept="text/html"):
    """Return status, headers and body; no status where the mounts answer."""
    started = [(None, [])]
    environ = {"PATH_INFO": path, "REMOTE_ADDR": client, "HTTP_HOST": host, "HTTP_ACCEPT": accept}
    answer = page.wrap_wsgi(lambda *_: [b""])
    body = b"".join(answer(environ, lambda *given: started.append(given)))
    return started[-1][0], dict(started[-1][1]), body.decode()


def ask_asgi(page, path, client="127.0.0.1", host="localhost:8000", accept="text/html"):
    """Do the same over ASGI."""
    sent = []

    async def application(*_):
        sent.extend([{"status": None, "headers": []}, {"body": b""}])

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode()), (b"accept", accept.encode())]
    scope = {"type": "http", "path": path, "root_path": "", "client": (client, 5), "headers": headers, "method": "GET"}
    asyncio.run(page.wrap_asgi(application)(scope, None, send))
    headers = {name.decode().title(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"] and f"{sent[0]['status']} OK", headers, sent[1]["body"].decode()


@pytest.fixture(params=[ask_wsgi, ask_asgi], ids=["WSGI", "ASGI"])
def ask(request):
    return request.param


def test_the_page_shows_each_mount_and_why_one_is_broken(page, ask):
    status, headers, text = ask(page, "/__multiserve__/")
    assert (status, headers["Content-Type"]) == ("200 OK", "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert '<a href="http://127.0.0.1:8000/shop/" rel="noreferrer"><code>/shop</code></a>' in text
    assert "&lt;script&gt;why&lt;/script&gt;" in text
    assert "<script>why" not in text
    assert "<form" not in text


@pytest.mark.parametrize(
    ("path", "accept"), [("/__multiserve__/status.json", "text/html"), ("/__multiserve__/", "application/json")]
)
def test_all_of_it_is_json(page, ask, path, accept):
    _, headers, text = ask(page, path, accept=accept)
    mounts = json.loads(text)["mounts"]
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert [(each["mount"], each["state"], each["url"]) for each in mounts] == [
        ("/shop", "ok", "http://127.0.0.1:8000/shop/"),
        ("/a&b", "failed", "http://127.0.0.1:8000/a%26b/"),
        ("{tenant}.example.com", "ok", ""),
    ]
    assert mounts[1]["reason"].endswith("RuntimeError: <script>why</script>")


@pytest.mark.parametrize(
    ("path", "client", "host"),
    [
        pytest.param("/__multiserve__/", "10.0.0.1", "localhost", id="another machine"),
        pytest.param("/__multiserve__/", "127.0.0.1", "evil.example", id="another name"),
        pytest.param("/__multiserve__/", "127.0.0.1", "10.0.0.1", id="an address that others reach"),
        pytest.param("/__multiserve__/", "127.0.0.1", "", id="no name"),
        pytest.param("/__multiserve__/", "", "localhost", id="nobody"),
        pytest.param("/__multiserve__/other", "127.0.0.1", "localhost", id="another path below it"),
        pytest.param("/shop", "127.0.0.1", "localhost", id="a mount"),
    ],
)
def test_everything_else_is_for_the_mounts(page, ask, path, client, host):
    assert ask(page, path, client, host)[0] is None


@pytest.mark.parametrize(
    ("client", "host"), [("::1", "[::1]:8000"), ("::ffff:127.0.0.1", "127.0.0.1"), ("127.0.0.1", "shop.localhost:8000")]
)
def test_names_of_this_machine(page, ask, client, host):
    assert ask(page, "/__multiserve__/", client, host)[0] == "200 OK"


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (["/", "/shop"], "/__multiserve__/"),
        (["/__multiserve__"], "/__multiserve2__/"),
        (["/__multiserve__/x", "example.com/__multiserve2__"], "/__multiserve3__/"),
    ],
    ids=["free", "a mount", "mounts below both"],
)
def test_the_path_is_one_that_no_mount_uses(tmp_path, keys, path):
    mounts = "\n".join(f'"{key}" = "shop"' for key in keys)
    assert path_of(write_site(tmp_path, f"[mounts]\n{mounts}\n")) == path
