"""What `run --open` shows."""

from __future__ import annotations

import threading
import webbrowser
from types import SimpleNamespace

import pytest

from multiserve.cli.browser import first_page, open_browser
from multiserve.keys import parse_key


def composition(*keys):
    return SimpleNamespace(mounts=[SimpleNamespace(mount=SimpleNamespace(key=parse_key(key))) for key in keys])


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        pytest.param(("/admin", "/"), "http://127.0.0.1:8000/", id="the root"),
        pytest.param(("api.localhost", "/admin", "/api"), "http://api.localhost:8000/", id="the first one"),
        pytest.param(("/u/{user}", "*.example.com", "/admin"), "http://127.0.0.1:8000/admin/", id="one with one URL"),
        pytest.param(("/u/{user}", "*.example.com"), "", id="none has one URL"),
    ],
)
def test_the_first_page_is_the_root_or_the_first_mount(keys, url):
    assert first_page(composition(*keys), "http://127.0.0.1:8000") == url


def test_the_browser_is_opened_without_waiting_for_it(monkeypatch):
    opened, left = threading.Event(), threading.Event()
    urls = []

    def open_(url):
        urls.append(url)
        opened.set()
        left.wait()

    monkeypatch.setattr(webbrowser, "open", open_)
    open_browser(composition("/{user}"), "http://127.0.0.1:8000")
    open_browser(composition("/"), "http://127.0.0.1:8000")
    assert opened.wait(30)
    left.set()
    assert urls == ["http://127.0.0.1:8000/"]
