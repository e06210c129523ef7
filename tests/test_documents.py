"""The examples of docs/ run, and have the results that they show."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"

pytestmark = pytest.mark.usefixtures("clean_process")


def write_files(text, folder):
    """Write the files that a document shows: those whose names stand in front of their contents."""
    for names, content in re.findall(r"^(`[\w./]+`[^\n]*):\n\n```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for name in re.findall(r"`([\w/]+\.\w+)`", names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")


def test_the_examples_of_the_api_give_what_they_show(tmp_path, monkeypatch):
    text = (DOCS / "api.md").read_text("utf-8")
    write_files(text, tmp_path)
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(text, {}, "docs/api.md", None, 0)
    assert len(example.examples) > 10
    report = []
    runner = doctest.DocTestRunner()
    runner.run(example, out=report.append)
    assert (runner.failures, "".join(report)) == (0, "")
