"""Processes that have some of the mounts."""

from __future__ import annotations

import os
from contextlib import nullcontext

import pytest

from multiserve.survey.alone import Processes

pytestmark = pytest.mark.usefixtures("clean_process")

COUNTS = """
import os

print("this is lost")
seen = []


def app(environ, start_response):
    seen.append(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{'x' * len(seen)} {os.environ['OWN']} {os.path.basename(os.getcwd())}".encode()]
"""


@pytest.fixture
def run(grouped, tmp_path):
    """Load some mounts of a group in a process of their own, and ask them."""
    (tmp_path / "counts.py").write_text(COUNTS)

    def run(mounts, names, group="", more=""):
        config = grouped(mounts, more)
        processes = Processes(
            config=config,
            group=group,
            environ={**os.environ, "OWN": "given"},
            urls={mount.name: [f"http://localhost:8000{mount.key.prefix}/"] for mount in config.mounts},
            interface=None,
            production=False,
            progress=nullcontext,
        )
        return processes.run([mount for mount in config.mounts if mount.name in names])

    return run


def pieces(outcome):
    return [sorted(answer.pieces) for answers in outcome.answers.values() for answer in answers]


def test_each_mount_is_asked_twice_where_this_process_would_have_it(run, monkeypatch, tmp_path, capfd):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    outcomes = run({"/a": ("counts", ""), "/b": ("shop", ""), "/c": ("crashes", "")}, ["/a", "/b"])
    assert list(outcomes) == ["/a", "/b"]
    assert pieces(outcomes["/a"]) == [["x given here"], ["xx given here"]]
    assert pieces(outcomes["/b"]) == [["shop"], ["shop"]]
    assert "lost" not in "".join(capfd.readouterr())


def test_a_group_has_its_own_folder(run, tmp_path):
    (tmp_path / "there").mkdir()
    more = '[groups.g]\ndirectory = "there"'
    outcomes = run({"/a": ("counts", "g"), "/b": ("crashes", "g")}, ["/a"], "g", more)
    assert pieces(outcomes["/a"]) == [["x given there"], ["xx given there"]]


def test_why_a_mount_cannot_be_loaded(run):
    outcomes = run({"/a": ("fails", ""), "/b": ("shop", "")}, ["/a", "/b"])
    assert outcomes["/a"].problem.startswith('importing "fails" failed: ZeroDivisionError: division by zero')
    assert outcomes["/a"].answers == {}
    assert pieces(outcomes["/b"]) == [["shop"], ["shop"]]


def test_a_process_that_ends_tells_nothing(run):
    assert run({"/a": ("leaves", ""), "/b": ("shop", "")}, ["/a", "/b"]) == {}
