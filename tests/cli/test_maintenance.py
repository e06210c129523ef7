"""`multiserve maintenance MOUNT on|off`."""

from __future__ import annotations

import pytest

from multiserve.servers.production import pid_file

CASES = [
    pytest.param(["on"], "", "/shop is in maintenance.\n", id="on"),
    pytest.param(["off"], "", "/shop is served.\n", id="off"),
    pytest.param(["on", "--page", "soon.html"], "soon.html", "/shop is in maintenance.\n", id="with a page"),
]


@pytest.mark.parametrize(("arguments", "page", "said"), CASES)
def test_the_server_is_asked(run, monkeypatch, tmp_path, arguments, page, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "soon.html").touch()
    asked = []
    monkeypatch.setattr(pid_file, "ask", lambda *question: asked.append(question) or [])
    assert run("maintenance", "/shop", *arguments, "--pid", "there") == (0, said, "")
    assert asked == [("there", "maintenance", "/shop", arguments[0], page and str(tmp_path / page))]


def test_workers_that_are_busy_are_told(run, monkeypatch):
    monkeypatch.setattr(pid_file, "ask", lambda *_: [10, 11])
    code, out, err = run("maintenance", "/shop", "on", "--pid", "there")
    assert (code, out) == (3, "")
    assert "workers that are busy (pid: 10, 11) follow as soon as they can: ask multiserve status" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["/shop"], "Missing argument '{on|off}'", id="no state"),
        pytest.param(["/shop", "maybe"], "'maybe' is not one of 'on', 'off'", id="another state"),
    ],
)
def test_wrong_usage_is_refused(run, arguments, said):
    code, _, err = run("maintenance", *arguments)
    assert code == 2
    assert said in err


def test_a_page_that_is_not_there_is_refused(run):
    code, out, err = run("maintenance", "/shop", "on", "--page", "nope.html")
    assert (code, out, err) == (1, "", "Error: --page: no such file: nope.html\n    Name a file of HTML.\n")
