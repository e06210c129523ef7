"""The examples of docs/ run, and have the results that they show."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
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


def test_the_plugin_of_the_document_does_what_it_shows(tmp_path):
    text = (DOCS / "plugins.md").read_text("utf-8")
    write_files(text, tmp_path)
    [session] = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    steps = re.findall(r"^\$ multiserve (.*)\n((?:(?!\$).*\n)*)", session, re.MULTILINE)
    assert len(steps) == 3
    for args, output in steps:
        command = [sys.executable, "-m", "multiserve", *args.split()]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, output, "")


def test_a_type_checker_takes_the_plugin_of_the_document(tmp_path):
    pytest.importorskip("mypy")
    write_files((DOCS / "plugins.md").read_text("utf-8"), tmp_path)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "shop/multiserve_checks.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("Success: no issues found in 1 source file\n", 0)


@pytest.fixture
def site(tmp_path):
    """Write the site of docs/testing.md, and give its folder."""
    pytest.importorskip("flask")
    pytest.importorskip("fastapi")
    write_files((DOCS / "testing.md").read_text("utf-8"), tmp_path)
    return tmp_path


def test_the_tests_of_the_document_pass(site):
    text = (DOCS / "testing.md").read_text("utf-8")
    [session] = re.findall(r"^```console\n\$ pytest -q\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)
    assert (re.sub(r" in [0-9.]+s", "", done.stdout), done.returncode) == (session, 0)


def test_the_client_of_the_document_needs_no_pytest(site):
    text = (DOCS / "testing.md").read_text("utf-8")
    [code] = re.findall(r"^```python\n(from multiserve.testing import .*?)^```", text, re.MULTILINE | re.DOTALL)
    code += "\nimport sys; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=site, check=True)
