"""The debugger of development, and where it may run."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from multiserve.config.file import load_config
from multiserve.dispatch.forks import leaving_after_fork
from multiserve.errors import ConfigError
from multiserve.loading.django_static import _serve_wsgi
from multiserve.mounts.redirects import with_slash_wsgi
from multiserve.mounts.stripping import strip_wsgi
from multiserve.servers.development.debugger import Debugger, use_debugger
from multiserve.servers.development.wsgi_response import Response


@pytest.fixture
def config(write_config):
    return load_config(write_config('[mounts]\n"/" = "a:b"\n'))


@pytest.mark.parametrize(
    ("host", "in_file", "asked", "used"),
    [
        pytest.param("127.0.0.1", None, None, True, id="by default on this machine"),
        pytest.param("localhost", True, None, True, id="the file says yes"),
        pytest.param("127.0.0.1", False, None, False, id="the file says no"),
        pytest.param("127.0.0.1", True, False, False, id="the command line says no"),
        pytest.param("127.0.0.1", False, True, True, id="the command line says yes"),
        pytest.param("0.0.0.0", None, None, False, id="by default where others reach it"),
        pytest.param("0.0.0.0", False, None, False, id="the file says no where others reach it"),
        pytest.param("0.0.0.0", None, True, True, id="asked for by name where others reach it"),
        pytest.param("0.0.0.0", True, True, True, id="the file and the command line say yes"),
        pytest.param("0.0.0.0", True, False, False, id="the command line says no where others reach it"),
    ],
)
def test_the_debugger_is_for_this_machine_unless_asked_for_by_name(config, host, in_file, asked, used):
    config = replace(
        config,
        server=replace(config.server, host=host),
        development=replace(config.development, debugger=in_file),
    )
    assert use_debugger(config, asked=asked) is used


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
def test_the_debugger_of_the_file_is_refused_where_others_reach_it(config, host):
    config = replace(
        config, server=replace(config.server, host=host), development=replace(config.development, debugger=True)
    )
    with pytest.raises(ConfigError) as caught:
        use_debugger(config, asked=None)
    assert str(caught.value) == (
        f"development.debugger: the debugger runs any code for anyone who reaches {host}\n"
        "    Say --debugger as well if you mean it, or --no-debugger, or listen on 127.0.0.1."
    )


def environ_of():
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "multiserve.mount": "/shop",
    }


def page_of(config, application):
    """Return the page of the debugger for an application that fails."""
    sent = io.BytesIO()
    response = Response(sent, "GET", "HTTP/1.0", lambda *_: None)
    response.send(Debugger(config).wrap_wsgi(application), environ_of())
    return sent.getvalue().decode()


def started(environ, start_response):
    start_response("200 OK", [("X-App", "1")])
    raise KeyError("oh")


def late(environ, start_response):
    start_response("200 OK", [])
    yield b"begun"
    raise KeyError("oh")


def below(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return iter([b"ok"])


@pytest.mark.parametrize(
    ("application", "status", "body", "errors"),
    [
        pytest.param(started, 500, "KeyError", ["The application at /shop failed:", "KeyError: 'oh'"], id="at once"),
        pytest.param(late, 200, "begun", ["The application at /shop failed:", "KeyError: 'oh'"], id="behind the head"),
        pytest.param(below, 200, "ok", [], id="never"),
    ],
)
def test_the_debugger_answers_an_exception_and_names_the_mount(config, monkeypatch, application, status, body, errors):
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "off")
    heads, sent, closed = [], io.BytesIO(), []

    class Parts(list):
        def close(self):
            closed.append(1)

    def closing(environ, start_response):
        result = application(environ, start_response)
        return result if application is late else Parts(result)

    environ = environ_of()
    response = Response(sent, "GET", "HTTP/1.0", lambda *head: heads.append(head))
    response.send(Debugger(config).wrap_wsgi(closing), environ)
    assert [code for code, *_ in heads] == [status]
    assert ("X-App", "1") not in heads[0][2]
    assert body in sent.getvalue().decode()
    assert response.is_broken is (application is late)
    assert closed == [1] * (application is below)
    lines = [
        line for line in environ["wsgi.errors"].getvalue().splitlines() if not line.startswith(("  ", "Trace", "Deb"))
    ]
    assert lines == errors


@pytest.mark.parametrize(("pin", "shown"), [("123-456", "123-456"), ("off", None)])
def test_the_pin_is_shown_by_who_starts_it_and_not_by_itself(config, monkeypatch, capfd, pin, shown):
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", pin)
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    assert Debugger(config).pin == shown
    assert capfd.readouterr() == ("", "")


def test_the_page_shows_no_frame_of_ours(config, monkeypatch):
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "off")
    wrapped = leaving_after_fork(with_slash_wsgi(strip_wsgi(_serve_wsgi(started, None, "/static/"))))
    assert re.findall(r'class="filename">"([^"]+)"', page_of(config, wrapped)) == [__file__]
