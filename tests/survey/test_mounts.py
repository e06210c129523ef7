"""All mounts are loaded, those of a group in a process of its own."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager

import pytest

from multiserve.findings import Finding
from multiserve.frameworks import InnerRequest, Inspector, find_route
from multiserve.survey.mounts import in_order, survey

pytestmark = pytest.mark.usefixtures("clean_process")


def states(found):
    """Give what became of each mount, in their order."""
    return {
        loaded.mount.name: [problem.message for problem in loaded.error.problems] if loaded.error else loaded.interface
        for loaded in found.composition.mounts
    }


def test_without_groups_no_process_is_started(grouped, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with survey(grouped({"/": ("shop", ""), "/blog": ("blog", "")})) as found:
        assert states(found) == {"/": "wsgi", "/blog": "wsgi"}
        assert not found.has_groups
        assert found.composition is found.own


def test_the_mounts_of_all_processes_stand_in_the_order_of_the_file(grouped, tmp_path):
    (tmp_path / "files").mkdir()
    mounts = {
        "/blog": ("blog", "blog"),
        "/": ("shop", ""),
        "/fails": ("fails", "blog"),
        "/nothing": ("nothing", "other"),
        "/files": ('static = "files"', "other"),
    }
    config = grouped(mounts, "[groups.blog]")
    with survey(config) as found:
        assert states(found) == {
            "/blog": "wsgi",
            "/": "wsgi",
            "/fails": [
                f'importing "fails" failed: ZeroDivisionError: division by zero ({config.folder}/fails.py, line 1)'
            ],
            "/nothing": ['there is no module "nothing"'],
            "/files": "wsgi",
        }
        assert [loaded.mount for loaded in found.composition.mounts] == list(config.mounts)
        assert [loaded.mount.name for loaded in found.own.mounts] == ["/"]
        assert found.composition.config is config
        failed = found.composition.failures[0].error
        assert failed
        assert "1 / 0" in failed.details
        assert set(found.effects) == {"/blog", "/fails", "/nothing", "/files"}


def test_loading_is_shown_for_the_mounts_of_every_process(grouped):
    shown, observed = [], []

    @contextmanager
    def progress(mount):
        shown.append(mount.name)
        yield
        shown.append(f"{mount.name} is loaded")

    @contextmanager
    def observe(mount):
        observed.append(mount.name)
        yield

    mounts = {"/": ("shop", ""), "/blog": ("blog", "blog"), "/a": ("blog", "blog")}
    with survey(grouped(mounts), progress=progress, observe=observe):
        assert shown == ["/blog", "/blog is loaded", "/a", "/a is loaded"]
        assert observed == ["/", "/blog", "/a"]


def test_a_process_has_its_own_environment_search_path_and_folder(grouped, tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "where.py").write_text(
        "import os, sys\n"
        "print(*(os.environ.get(name) for name in ('A', 'B', 'C')), os.getcwd(), file=open('seen', 'w'))\n"
        "def app(environ, start_response): ...\n"
    )
    monkeypatch.setenv("C", "is set already")
    more = """
[env]
A = "of all"
B = "of all"
[groups.own]
directory = "own"
pythonpath = ["own"]
env = { B = "of the group", C = "of the group" }
"""
    with survey(grouped({"/": ("shop", ""), "/where": ("where", "own")}, more)) as found:
        assert states(found) == {"/": "wsgi", "/where": "wsgi"}
    assert (tmp_path / "own" / "seen").read_text() == f"of all of the group is set already {tmp_path / 'own'}\n"
    assert os.environ["B"] == "of all"


def test_what_another_process_says_of_an_application_can_be_asked_for(grouped):
    pytest.importorskip("flask")
    mounts = {"/a": ("flasky", "one"), "/b": ("flasky", "one"), "/c": ("flasky", "two"), "/d": ("blog", "one")}
    with survey(grouped(mounts)) as found:
        one, same, other, blind = (loaded.origin for loaded in found.composition.mounts)
        inspector = Inspector()
        facts = inspector.facts_of(one)
        assert facts
        assert [route.path for route in facts.routes or ()] == ["/static/<path:filename>", "/", "/<name>"]
        assert one is same
        assert one is not other
        theirs = inspector.facts_of(other)
        assert theirs
        assert facts.application is not theirs.application
        assert facts.secret == theirs.secret
        assert inspector.facts_of(blind) is None
        answer = find_route(other, InnerRequest("/me", "POST"))
        assert answer
        assert answer.route
        assert (answer.outcome, answer.route.view) == ("view", "flasky:save")
        refused = find_route(one, InnerRequest("/me", "GET"))
        assert refused
        assert (refused.outcome, refused.methods) == ("method not allowed", ("POST",))


def finding(mount, message):
    return Finding(
        code="MS161",
        severity="note",
        mounts=(mount,) if mount else (),
        key="",
        message=message,
        consequence="",
        cure="",
    )


def test_what_several_processes_find_stands_in_the_order_of_the_file_and_once():
    found = [finding("/b", "1"), finding("", "2"), finding("/a", "3"), finding("", "2"), finding("/b", "4")]
    assert [each.message for each in in_order(found, {"/a": 0, "/b": 1})] == ["3", "1", "4", "2"]
