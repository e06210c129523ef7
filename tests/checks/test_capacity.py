from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import capacity, look_at
from multiserve.checks.subject import Load
from multiserve.composition import compose
from multiserve.config.file import load_config
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


MB = 2**20


@pytest.mark.parametrize(
    ("gunicorn", "groups", "expected"),
    [
        pytest.param({"workers": 4}, (), [], id="enough"),
        pytest.param(
            {"workers": 11},
            (),
            [
                (
                    "11 workers of 100 MB may not fit into the 1000 MB there are",
                    "Set fewer workers, or preload_app = true, under [gunicorn].",
                )
            ],
            id="too many",
        ),
        pytest.param({"workers": 11, "preload_app": True}, (), [], id="shared"),
        pytest.param(
            {"workers": 4},
            (
                Load(group="blog", resident=700 * MB, workers=1, is_shared=False),
                Load(group="wiki", resident=900 * MB, workers=2, is_shared=True),
            ),
            [
                (
                    (
                        "4 workers of 100 MB and 1 worker of the group blog of 700 MB "
                        "may not fit into the 1000 MB there are"
                    ),
                    "Set fewer workers, or preload_app = true, under [gunicorn] and [groups.blog].",
                )
            ],
            id="all processes together",
        ),
        pytest.param(
            {"workers": 4}, (Load(group="blog", resident=0, workers=9, is_shared=False),), [], id="one is not known"
        ),
    ],
)
def test_the_memory_of_all_processes_has_to_fit(
    write_config, tmp_path, kept_process, monkeypatch, gunicorn, groups, expected
):
    monkeypatch.setattr(capacity, "_resident", lambda: 100 * MB)
    monkeypatch.setattr(capacity, "_available", lambda: 1000 * MB)
    (tmp_path / "plain.py").write_text("def app(environ, start_response): ...")
    composition = compose(load_config(write_config('[mounts]\n"/" = "plain:app"')))
    subject = replace(look_at(composition, {}, gunicorn=gunicorn, is_production=True), groups=groups)
    assert [(each.message, each.cure) for each in capacity.memory.find(subject)] == expected


ADDRESSES = [
    pytest.param('[server]\nport = 8080\n[gunicorn]\nbind = "0.0.0.0:8000"', True, "0.0.0.0:8000", id="both"),
    pytest.param(
        '[server]\nport = 8080\n[gunicorn]\nbind = ["127.0.0.1:81", "[::1]:81"]',
        True,
        "127.0.0.1:81, [::1]:81",
        id="two",
    ),
    pytest.param('[server]\nport = 8080\n[gunicorn]\nbind = "0.0.0.0:8000"', False, "", id="development"),
    pytest.param('[server]\nport = 8080\n[gunicorn]\nbind = "127.0.0.1:8080"', True, "", id="the same"),
    pytest.param('[server]\nport = 8080\n[gunicorn]\nbind = "unix:run/x.sock"', True, "", id="a unix socket"),
    pytest.param('[gunicorn]\nbind = "0.0.0.0:8000"', True, "", id="bind alone"),
    pytest.param("[server]\nport = 8080", True, "", id="port alone"),
]


@pytest.mark.parametrize(("text", "is_production", "bind"), ADDRESSES)
def test_bind_beside_host_and_port(look, text, is_production, bind):
    message = f"production listens on {bind} (bind), not on 127.0.0.1:8080 (host and port)"
    found = look(f'[mounts]\n"/" = {{ redirect = "https://example.com/" }}\n{text}', is_production=is_production)
    assert found == ([("MS173", "note", (), message)] if bind else [])
