"""The metrics of a production server: to the request, across recycled, killed and replaced workers, and groups."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections import Counter
from pathlib import Path

import pytest
from websockets.sync.client import connect

WSGI = """
def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise RuntimeError("as it should")
    body = b"ok"
    start_response("200 OK", [("Content-Length", "2")])
    return [body]
"""
ASGI = """
async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"o", "more_body": True})
        await send({"type": "http.response.body", "body": b"k"})
"""
TOML = """\
[mounts]
"/" = "plain"
"/live" = "live"
"/u/{user}" = "tenants:create_app"
"/group" = { app = "plain", group = "apart" }
"/old" = { redirect = "/new" }
[groups.apart]
[server]
manage = "127.0.0.1:@port@"
[gunicorn]
workers = 2
pidfile = "pid"
@more@
"""
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.e+-]+)')


class Site:
    """A server with counters."""

    def __init__(self, write, run, more="max_requests = 150"):
        write("plain.py", WSGI)
        write("live.py", ASGI)
        write("tenants.py", "import plain\n\ndef create_app(user):\n    return plain.application\n")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        write("multiserve.toml", TOML.replace("@port@", str(self.port)).replace("@more@", more))
        self.server = run("--production").ready()
        self.server.until(lambda: self.read()["multiserve_workers"], "metrics")

    def read(self):
        browser = self.server.browser()
        browser.address = f"127.0.0.1:{self.port}"
        text = browser.get("/metrics").text
        samples = {}
        for line in text.splitlines():
            if not line.startswith("# "):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                key = f"{name}{{{labels}}}" if labels else name
                assert key not in samples
                samples[key] = float(value)
        return samples

    def counts(self):
        """Return how many requests were counted, by mount."""
        found = Counter()
        for key, value in self.read().items():
            if key.startswith("http_server_request_duration_seconds_count"):
                found[re.search('http_route="([^"]*)"', key)[1]] += int(value)
        return found


def worker_of(server):
    """Return the process id of a worker of the master in front."""
    for pid in map(int, reversed(re.findall(r"Booting worker with pid: (\d+)", server.log))):
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and int(stat.read_text().rpartition(")")[2].split()[1]) == server.pid:
            return pid
    return pytest.fail("there is no worker")


@pytest.fixture
def site(write, run):
    return Site(write, run)


def test_all_requests_are_counted_whatever_becomes_of_the_workers(site, tmp_path):
    before = site.counts()["/"]  # those that waited for the server
    paths = ["/", "/live", "/group", "/u/anna"]
    with site.server.load(paths) as load:
        site.server.until(lambda: load.count > 500, "requests")
        site.server.signal("SIGHUP")
        site.server.until_logged("The new workers have taken over.")
        site.server.until(lambda: load.count > 1500, "requests")
    assert load.failures == []

    def counted():
        counts = site.counts()
        return sum(counts.values()) - before >= load.count and counts

    counts = site.server.until(counted, "all requests")
    assert sum(counts.values()) - before == load.count
    assert counts.keys() == {"/", "/live", "/group", "/u/{user}"}
    site.server.until(lambda: site.read()['multiserve_reloads_total{outcome="ok"}'] == 1, "the end of the reload")
    site.server.until(lambda: site.read()["multiserve_workers_started_total"] > 4, "a worker that was recycled")

    os.kill(worker_of(site.server), signal.SIGKILL)
    site.server.until_logged("SIGKILL")
    assert site.counts() == counts
    assert {value for key, value in site.read().items() if key.startswith("http_server_active")} == {0.0}


def test_what_is_counted(site):
    old = site.server.get("/old")
    assert old.status in (307, 308)
    assert site.server.get("/fail").status == 500
    with connect(f"ws://{site.server.address}/live", proxy=None):
        site.server.until(lambda: site.read()['multiserve_websockets_open{http_route="/live"}'] == 1, "a WebSocket")
    site.server.until(lambda: site.read()['multiserve_websockets_open{http_route="/live"}'] == 0, "its end")
    samples = site.read()
    assert samples['multiserve_websockets_opened_total{http_route="/live"}'] == 1
    assert samples['http_server_responses_total{http_route="/old",http_response_status_class="3xx"}'] == 1
    assert samples['http_server_responses_total{http_route="/",http_response_status_class="5xx"}'] == 1
    assert samples['http_server_responses_total{http_route="/live",http_response_status_class="2xx"}'] == 0
    assert samples['multiserve_mount_up{http_route="/u/{user}"}'] == 1
    assert samples['multiserve_group_up{group="apart"}'] == 1
    assert samples['multiserve_memory_bytes{process="master",group=""}'] > 1_000_000
