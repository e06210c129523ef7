"""`multiserve status`."""

from __future__ import annotations

import json

import pytest

from multiserve.errors import ServeError
from multiserve.servers.production import pid_file

STATUS = {
    "process": {"pid": 10, "memory": 1024 * 1024}, "since": 5.0, "workers": [], "groups": [],
    "mounts": [{"mount": "/", "target": "good:app", "group": "", "state": "ok", "reason": ""}],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    """Note what a server is asked, and answer with its status."""
    questions = []

    def ask(path, *question):
        questions.append((str(path), *question))
        return STATUS

    monkeypatch.setattr(pid_file, "ask", ask)
    return questions


def test_the_server_of_the_file_is_asked(run, write_config, tmp_path, asked):
    write_config('[mounts]\n"/" = "good:app"\n[gunicorn]\npidfile = "pid"')
    code, out, err = run("status", "--format", "json")
    assert (code, json.loads(out), err) == (0, STATUS, "")
    assert asked == [(str(tmp_path / "pid"), "status")]


def test_the_text_is_for_people(run, asked):
    code, out, _ = run("status", "--pid", "there")
    assert (code, out.split()[:6]) == (0, ["PROCESS", "STATE", "PID", "SINCE", "WORKERS", "MEMORY"])
    assert asked == [("there", "status")]


def test_a_server_that_does_not_answer_is_an_error(run, monkeypatch):
    def ask(*_):
        raise ServeError("process 7 does not answer: why")

    monkeypatch.setattr(pid_file, "ask", ask)
    assert run("status", "--pid", "there") == (3, "", "Error: process 7 does not answer: why\n")


def test_what_is_asked_for_in_vain(run, tmp_path):
    path = tmp_path / "pid"
    assert run("status", "--pid", str(path)) == (
        3,
        "",
        (
            f"Error: there is no pid file {path}\n"
            "    Is the server running? It writes the file when it starts with this pidfile setting.\n"
        ),
    )


@pytest.mark.parametrize(
    ("address", "text"),
    [
        pytest.param("http://127.0.0.1:9000/", "http://127.0.0.1:9000/#token=secret\n", id="a port"),
        pytest.param(
            "unix:/run/manage.sock",
            "http://127.0.0.1:9000/#token=secret, once the socket is there: ssh -N -L 9000:/run/manage.sock HOST\n",
            id="a socket",
        ),
    ],
)
def test_the_page_is_told_with_its_token(run, monkeypatch, address, text):
    monkeypatch.setattr(pid_file, "ask", lambda path, question: page if question == "page" else None)
    page = {"address": address, "token": "secret"}
    assert run("status", "--pid", "there", "--page") == (0, text, "")
    assert json.loads(run("status", "--pid", "there", "--page", "--format", "json")[1]) == page
