from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from multiserve.frameworks.lifespans import InnerLifespan, inner_lifespans

applications = pytest.importorskip("starlette.applications")
routing = pytest.importorskip("starlette.routing")


@asynccontextmanager
async def lifespan(app):
    app.state.has_started = True
    yield


def outer(*mounts, **options):
    return applications.Starlette(routes=[routing.Mount(path, app=app) for path, app in mounts], **options)


def with_lifespan():
    return applications.Starlette(lifespan=lifespan)


def mounted_by_its_framework():
    """Make an application of a class of Gradio."""
    kind = type("App", (applications.Starlette,), {"__module__": "gradio.routes"})
    return kind(lifespan=lifespan)


def with_lifespan_of_its_framework():
    """Make an application whose lifespan is one of marimo."""
    kind = type("Lifespans", (), {"__module__": "marimo._utils.lifespans", "__call__": lambda self, app: lifespan(app)})
    return applications.Starlette(lifespan=kind())


INNER = [
    pytest.param(outer(("/plain", applications.Starlette())), (), id="none"),
    pytest.param(outer(("/tools", with_lifespan())), (InnerLifespan("/tools", False),), id="one"),
    pytest.param(
        outer(("/a", outer(("/b", with_lifespan())))), (InnerLifespan("/a/b", False),), id="one further inside"
    ),
    pytest.param(
        outer(("/tools", with_lifespan()), lifespan=asynccontextmanager(lambda app: None)),
        (InnerLifespan("/tools", True),),
        id="one that the outer lifespan may run",
    ),
    pytest.param(outer(("/tools", with_lifespan()), lifespan=lifespan), (), id="one that the outer application has"),
    pytest.param(outer(("/", with_lifespan())), (InnerLifespan("/", False),), id="at the root"),
    pytest.param(outer(("/", mounted_by_its_framework())), (), id="one of Gradio"),
    pytest.param(outer(("/", with_lifespan_of_its_framework())), (), id="one of marimo"),
    pytest.param(print, (), id="something else"),
]


@pytest.mark.parametrize(("application", "found"), INNER)
def test_lifespans_inside_are_found(application, found):
    assert inner_lifespans(application) == found


def test_starlette_runs_none_of_them():
    testclient = pytest.importorskip("starlette.testclient")
    inner = with_lifespan()
    with testclient.TestClient(outer(("/tools", inner))):
        assert not hasattr(inner.state, "has_started")
    with testclient.TestClient(inner):
        assert inner.state.has_started
