"""What production would make of a configuration."""

from __future__ import annotations

import sys

import pytest

from multiserve.config.file import load_config
from multiserve.config.processes import for_group
from multiserve.survey import production

TEXT = '[mounts]\n"/" = {{ app = "a:app", group = "blog" }}\n[groups.blog.gunicorn]\n{own}\n[gunicorn]\n{shared}'


@pytest.fixture
def found(write_config):
    def found(own="", shared="", interface="wsgi"):
        config = load_config(write_config(TEXT.format(own=own, shared=shared)))
        group = config.groups["blog"]
        problems = production.problems_of_gunicorn(for_group(config, group), interface)
        return [each.key for each in production.own_problems(problems, group)]

    return found


@pytest.mark.parametrize(
    ("own", "shared", "interface", "keys"),
    [
        pytest.param("timeout = 3", "timeout = 4", "asgi", [], id="all is well"),
        pytest.param("tiemout = 3", "", "wsgi", ["groups.blog.gunicorn.tiemout"], id="its own"),
        pytest.param("", "timeout = 'x'", "wsgi", [], id="what it takes over is that of the file"),
        pytest.param(
            "timeout = 'x'", "timeout = 3", "wsgi", ["groups.blog.gunicorn.timeout"], id="its own comes first"
        ),
        pytest.param(
            "worker_class = 'gthread'", "", "asgi", ["groups.blog.gunicorn.worker_class"], id="a worker that cannot"
        ),
    ],
)
def test_the_problems_of_a_group_are_those_of_its_own_table(found, own, shared, interface, keys):
    assert found(own, shared, interface) == keys


def test_without_gunicorn_nothing_is_known(monkeypatch, write_config):
    monkeypatch.setitem(sys.modules, "multiserve.servers.production.application", None)
    config = load_config(write_config('[mounts]\n"/" = "a:app"\n[gunicorn]\nx = 1'))
    assert not production.has_gunicorn()
    assert production.problems_of_gunicorn(config, "wsgi") == []
    assert production.gunicorn_settings(config, "wsgi") == {}
    assert not production.serves_asgi(config)


def test_what_the_worker_takes_is_known(write_config):
    config = load_config(write_config('[mounts]\n"/" = "a:app"\n[gunicorn]\nworker_class = "gthread"'))
    assert not production.serves_asgi(config)
    assert production.gunicorn_settings(config, "wsgi")["keepalive"] == 5
