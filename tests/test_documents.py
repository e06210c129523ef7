"""The examples of docs/ run, and have the results that they show."""

from __future__ import annotations

import dataclasses
import doctest
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import multiserve
from multiserve.config.file import load_config
from multiserve.findings import Finding

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# How many commands of multiserve a document shows with their output.
SHOWN = {
    "README.md": 2,
    "docs/commands.md": 4,
    "docs/cookbook/container.md": 1,
    "docs/cookbook/dash.md": 2,
    "docs/cookbook/data-apps.md": 1,
    "docs/cookbook/django.md": 4,
    "docs/cookbook/fastapi-beside-django.md": 2,
    "docs/cookbook/gradio.md": 1,
    "docs/cookbook/mcp.md": 1,
    "docs/cookbook/service.md": 1,
    "docs/cookbook/sign-in.md": 1,
    "docs/cookbook/streamlit.md": 1,
    "docs/cookbook/tenants.md": 2,
    "docs/cookbook/tests.md": 0,  # pytest, which has to succeed
    "docs/cookbook/vite.md": 3,
    "docs/tutorial.md": 3,
}

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.mark.parametrize("name", SHOWN)
def test_the_commands_of_a_document_print_what_it_shows(tmp_path, read_document, name):
    document = read_document(name)
    assert len(document.play(tmp_path)) == SHOWN[name]


SKILL = Path(multiserve.__file__).with_name("SKILL.md")
MISTAKE = '[mounts]\n"/admin" = "backoffice:create_ap()"\n'


def is_part_of(shown, value):
    """Return whether a value has all that is shown, where tables may have more keys."""
    if isinstance(shown, dict):
        return all(name in value and is_part_of(each, value[name]) for name, each in shown.items())
    if isinstance(shown, list):
        return len(shown) == len(value) and all(map(is_part_of, shown, value))
    return shown == value


def test_the_file_for_agents_is_right(tmp_path):
    text = SKILL.read_text("utf-8")
    assert len(text.splitlines()) <= 120
    [table] = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "multiserve.toml").write_text(table, "utf-8")
    assert len(load_config(tmp_path / "multiserve.toml").mounts) == len(tomllib.loads(table)["mounts"])


def test_the_file_for_agents_shows_the_json_of_check(tmp_path, read_document):
    pytest.importorskip("flask")
    text = SKILL.read_text("utf-8")
    for name, content in read_document("README.md").steps():
        if not name.startswith("$"):
            (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "multiserve.toml").write_text(MISTAKE, "utf-8")
    command = [sys.executable, "-m", "multiserve", "check", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    [shown] = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert done.returncode == 3
    assert is_part_of(json.loads(shown), json.loads(done.stdout.replace(str(tmp_path), "/home/you/shop")))


def test_the_file_for_agents_names_what_json_has(tmp_path):
    text = SKILL.read_text("utf-8")
    names = re.search("^- A finding has (.*?)[.]$", text, re.MULTILINE)[1]
    fields = {field.name for field in dataclasses.fields(Finding)}
    assert set(re.findall("`(\\w+)`", names)) <= fields
    (tmp_path / "multiserve.toml").write_text('[mounts]\n"/" = "plain:app"\n', "utf-8")
    (tmp_path / "plain.py").write_text("def app(environ, start_response): ...\n", "utf-8")
    command = [sys.executable, "-m", "multiserve", "routes", "--all", "--explain", "/", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    paragraph = text.partition("--explain URL --format json` has ")[2].partition("\n\n")[0]
    outer, _, inner = paragraph.partition("`--all`")
    assert set(re.findall("`(\\w+)`", outer)) <= answer.keys()
    assert {"framework", "outcome"} <= answer["inside"].keys()
    assert set(re.findall("`(\\w+)`", inner)) == {"inside", "framework", "outcome", "route", "view", "file", "line"}


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


def test_the_tests_of_the_document_pass(site, environment_of_pytest):
    text = (DOCS / "testing.md").read_text("utf-8")
    [session] = re.findall(r"^```console\n\$ pytest -q\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=site, env=environment_of_pytest, capture_output=True, text=True, check=False)
    assert (re.sub(r" in [0-9.]+s", "", done.stdout), done.returncode) == (session, 0)


def test_the_client_of_the_document_needs_no_pytest(site):
    text = (DOCS / "testing.md").read_text("utf-8")
    [code] = re.findall(r"^```python\n(from multiserve.testing import .*?)^```", text, re.MULTILINE | re.DOTALL)
    code += "\nimport sys; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=site, check=True)
