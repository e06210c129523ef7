from __future__ import annotations

import pytest

from multiserve.checks import capacity
from multiserve.frameworks import Facts


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


SILENT = [
    pytest.param(
        '"/" = "plain:live"', {"/": facts("FastAPI", thread_hints=("x.db",))}, id="threads of no WSGI application"
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


SAID = [
    pytest.param(
        '"/" = { app = "plain:app", threads = 2 }\n"/live" = "other:live"',
        {"/": facts(thread_hints=("x.db",))},
        [("MS170", "note", ("/",), "its views may share x.db between 2 threads")],
        id="threads beside ASGI",
    ),
]


@pytest.mark.parametrize(("mounts", "known", "expected"), SAID)
def test_what_is_said_is_as_certain_as_the_reading(look, mounts, known, expected):
    assert look(f"[mounts]\n{mounts}", known) == expected


KEPT = [
    pytest.param("MCP sessions", "warning", id="MCP"),
    pytest.param("Gradio events", "warning", id="Gradio"),
    pytest.param("Streamlit sessions", "note", id="Streamlit"),
]


@pytest.mark.parametrize(("kept", "severity"), KEPT)
def test_what_is_kept_in_one_of_several_workers(look, monkeypatch, kept, severity):
    monkeypatch.setattr(capacity, "kept_in_worker", lambda application: kept if application else "")
    monkeypatch.setattr(capacity, "_available", lambda: 0)  # nothing about memory
    mounts = '[mounts]\n"/a" = "plain:live"\n"/again" = "plain:live"\n"/old" = { redirect = "/a" }'
    message = f"its {kept} are each in one of 4 workers"
    found = look(mounts, is_production=True, gunicorn={"workers": 4})
    assert found == [("MS172", severity, ("/a",), message)]
    assert look(mounts, is_production=True, gunicorn={"workers": 1}) == []
    assert look(mounts, gunicorn={"workers": 4}) == []
