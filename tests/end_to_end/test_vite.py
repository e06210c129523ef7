"""Vite's development server behind a proxied mount: pages, modules, and hot updates over its WebSocket."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess

import pytest
from websockets.sync.client import connect

pytest.importorskip("aiohttp")

pytestmark = pytest.mark.xdist_group("vite")

MODES = [
    pytest.param(("--no-reload",), id="development"),
    pytest.param(("--production", "--workers", "1"), id="production"),
]
PAGE = '<!doctype html>\n<div id="app"></div>\n<script type="module" src="./main.js"></script>\n'
MAIN = """\
import { text } from "./text.js";
document.getElementById("app").textContent = text;
import.meta.hot.accept("./text.js", (found) => { document.getElementById("app").textContent = found.text; });
"""
API = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'the api']\n"


@pytest.fixture(scope="module")
def vite(request):
    """Install Vite once, into the cache of pytest, and give the file that starts it."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = request.config.cache.mkdir("vite")
    script = folder / "node_modules" / "vite" / "bin" / "vite.js"
    if not script.exists():
        command = ("npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), "vite@^8")
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
        except subprocess.TimeoutExpired:
            pytest.skip("npm took too long to install Vite")
        if done.returncode or not script.exists():
            pytest.skip(f"npm cannot install Vite: {done.stderr[-200:]}")
    return script


@pytest.fixture
def start_vite(vite, start, tmp_path):
    """Start Vite over a small project, with a base."""

    def started(base):
        project = tmp_path / "ui"
        project.mkdir()
        for name, text in {"index.html": PAGE, "main.js": MAIN, "text.js": 'export const text = "one";\n'}.items():
            (project / name).write_text(text, "utf-8")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        options = ("--port", str(port), "--strictPort", "--host", "127.0.0.1", "--base", base)
        server = start(*options, cwd=project, command=("node", str(vite)))
        server.address = f"127.0.0.1:{port}"
        server.until(lambda: server.get(base).status == 200, "Vite")
        return project, server

    return started


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("base", ["/", "/ui/"], ids=["the root", "a prefix"])
def test_vite_works_as_if_it_were_asked_itself(start_vite, run, write, mode, base):
    project, behind = start_vite(base)
    write("api.py", API)
    key = base.rstrip("/") or "/"
    other = "/api" if base == "/" else "/"
    write("multiserve.toml", f'[mounts]\n"{key}" = {{ proxy = "{behind.origin}" }}\n"{other}" = "api:app"\n')
    server = run(*mode).ready()
    page = server.get(base, Accept="text/html")
    assert (page.status, f'src="{base}@vite/client"' in page.text) == (200, True)
    assert server.get(other).text == "the api"

    for path in ("main.js", "text.js", "@vite/client"):
        found = server.get(base + path, Accept="*/*")
        assert (found.status, found.headers.get_content_type()) == (200, "text/javascript")
        assert found.body == behind.get(base + path, Accept="*/*", Host=server.address).body
    assert f'from "{base}text.js"' in server.get(f"{base}main.js").text
    tag = server.get(f"{base}text.js").headers["ETag"]
    assert server.get(f"{base}text.js", **{"If-None-Match": tag}).status == 304

    token = re.search(r'const wsToken = "([^"]+)"', server.get(f"{base}@vite/client").text)[1]
    url = f"ws://{server.address}{base}?token={token}"
    with connect(url, subprotocols=["vite-hmr"], origin=server.origin) as hot:
        assert hot.subprotocol == "vite-hmr"
        assert json.loads(hot.recv(30)) == {"type": "connected"}
        (project / "text.js").write_text('export const text = "two";\n', "utf-8")
        told = json.loads(hot.recv(30))
    assert told["type"] == "update"
    assert [(each["path"], each["acceptedPath"]) for each in told["updates"]] == [("/main.js", "/text.js")]
    update = f"{base}text.js?t={told['updates'][0]['timestamp']}"
    assert '"two"' in server.get(update).text
