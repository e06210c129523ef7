from __future__ import annotations

import pytest

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
