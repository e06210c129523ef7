"""`multiserve restart GROUP` and `multiserve reload GROUP`."""

from __future__ import annotations

import pytest

from multiserve.servers.production import pid_file

CASES = [
    pytest.param("restart", [], "The group legacy runs in a new process.\n", id="restart"),
    pytest.param("reload", [], "The group legacy has reloaded.\n", id="reload"),
    pytest.param(
        "reload",
        ["/old", "/wiki"],
        "The group legacy has reloaded; it answers 503 for /old, /wiki: see its log.\n",
        id="with mounts that fail",
    ),
]


@pytest.mark.parametrize(("command", "broken", "said"), CASES)
def test_the_server_is_asked_and_what_became_of_it_is_told(run, monkeypatch, command, broken, said):
    asked = []
    monkeypatch.setattr(pid_file, "ask", lambda *question: asked.append(question) or broken)
    assert run(command, "legacy", "--pid", "there") == (0, said, "")
    assert asked == [("there", command, "legacy")]


def test_restart_needs_a_group(run):
    code, _, err = run("restart")
    assert code == 2
    assert "Missing argument 'GROUP'." in err
