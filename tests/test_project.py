"""README, example file, help texts, CHANGELOG and wheel say what the code does."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import multiserve
from multiserve.cli import main
from multiserve.config.file import Development, Server, load_config
from multiserve.config.mounts import AppMount, Mount, RedirectMount, StaticMount, TenantMount

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = ROOT / "multiserve.toml.example"
EXAMPLES = sorted(ROOT.glob("examples/*/multiserve.toml"))


def readme_steps() -> list[tuple[str, str]]:
    """Give the files that README writes and the commands that it runs, in order, each with its text."""
    pattern = re.compile(r"^`(\w+\.\w+)`[^\n]*:\n\n```\w+\n(.*?)^```|^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
    steps = []
    for name, content, session in pattern.findall(README):
        if name:
            steps.append((name, content))
            continue
        for command, output in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", session, re.MULTILINE):
            steps.append((f"$ {command}", output))
    return steps


@pytest.mark.usefixtures("clean_process")
def test_the_readme_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = []
    for step, text in readme_steps():
        if not step.startswith("$"):
            (tmp_path / step).write_text(text, "utf-8")
        elif step.startswith("$ multiserve"):
            result = CliRunner().invoke(main, shlex.split(step)[2:])
            assert (step, result.stdout) == (step, text)
            ran.append(step)
    assert ran == [
        "$ multiserve check",
        "$ multiserve routes",
        "$ multiserve routes --explain http://localhost:8000/admin/users",
        "$ multiserve check",
    ]


def shown_defaults_of(kind: type) -> dict[str, Any]:
    """Give the defaults as the example file shows them; one that TOML cannot write stands in a comment."""
    fields = [field for field in dataclasses.fields(kind) if "help" in field.metadata]
    defaults = {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    for name in [name for name, default in defaults.items() if default is None]:
        assert re.search(rf"^# {name} = ", EXAMPLE.read_text("utf-8"), re.MULTILINE)
        del defaults[name]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}


@pytest.mark.parametrize(("section", "kind"), [("server", Server), ("development", Development)])
def test_the_example_file_shows_every_key_with_its_default(section: str, kind: type) -> None:
    assert tomllib.loads(EXAMPLE.read_text("utf-8"))[section] == shown_defaults_of(kind)


@pytest.mark.parametrize(
    ("key", "kind", "target", "shared"),
    [
        pytest.param("/accounts", AppMount, {"app": "accounts:app"}, None, id="an application"),
        pytest.param("/u/{user}", TenantMount, {"app": "users:create_app"}, AppMount, id="tenants"),
        pytest.param("/static", StaticMount, {"static": "shared/static"}, Mount, id="a static folder"),
        pytest.param("/old", RedirectMount, {"redirect": "/new"}, Mount, id="a redirect"),
    ],
)
def test_the_example_file_shows_every_option_of_a_mount(
    key: str, kind: type, target: dict[str, str], shared: type | None
) -> None:
    written = tomllib.loads(EXAMPLE.read_text("utf-8"))["mounts"][key]
    above = shown_defaults_of(shared) if shared else {}
    shown = shown_defaults_of(kind).items()
    assert written == {**target, **{name: value for name, value in shown if name not in above}}


def test_the_example_file_shows_every_default_of_gunicorn_that_differs() -> None:
    settings = pytest.importorskip("multiserve.servers.production.settings", reason="gunicorn does not run on Windows")
    section = EXAMPLE.read_text("utf-8").partition("[gunicorn]\n")[2]
    written = tomllib.loads(re.sub("^# ", "", section, flags=re.MULTILINE))
    defaults = settings.defaults(load_config(EXAMPLE))
    assert 1 <= defaults["workers"] <= written["workers"]  # it depends on the machine
    assert written == {**defaults, "workers": written["workers"]}


@pytest.mark.parametrize("path", [EXAMPLE, *EXAMPLES], ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_of_the_repository_are_right(path: Path) -> None:
    assert load_config(path).mounts


def test_the_changelog_has_the_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert next(version for version in versions if version != "Unreleased") == multiserve.__version__


@pytest.mark.parametrize("command", ["run", "check", "routes"])
def test_help_shows_examples_and_readme_names_the_command(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"]).output
    assert f"multiserve {command}" in text
    assert "Examples:" in text
    assert f"multiserve {command}" in README


def test_every_option_in_the_readme_exists() -> None:
    known = {option for command in main.commands.values() for parameter in command.params for option in parameter.opts}
    mentioned = set(re.findall(r"`[^`\n]*?(--[a-z-]+)", README))
    assert mentioned
    assert mentioned <= known


IMPORTS = [
    pytest.param("import multiserve", ("asyncio", "click", "gunicorn", "werkzeug"), id="the package"),
    pytest.param("import multiserve.cli", ("asyncio", "gunicorn", "werkzeug"), id="the command line"),
    pytest.param(
        "from multiserve.cli import main; main(['routes', '-c', 'FILE'], standalone_mode=False)",
        ("asyncio", "gunicorn", "werkzeug"),
        id="a command",
    ),
    pytest.param(
        "from multiserve import create_app; create_app('FILE')", ("asyncio", "click", "gunicorn"), id="WSGI alone"
    ),
]


@pytest.mark.parametrize(("code", "heavy"), IMPORTS)
def test_what_is_not_needed_is_not_imported(tmp_path: Path, code: str, heavy: tuple[str, ...]) -> None:
    (tmp_path / "site.toml").write_text('[mounts]\n"/" = "plain.py"')
    (tmp_path / "plain.py").write_text("def app(environ, start_response): ...")
    loaded = f"import sys; print(*(name for name in {heavy} if name in sys.modules), file=sys.stderr)"
    command = [sys.executable, "-c", f"{code.replace('FILE', str(tmp_path / 'site.toml'))}\n{loaded}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == "\n"


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    wheel_module = pytest.importorskip("flit_core.buildapi", reason="flit_core builds the wheel")
    code = f"import flit_core.buildapi as b; print(b.build_wheel({str(tmp_path)!r}))"
    assert wheel_module
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = zipfile.ZipFile(tmp_path / done.stdout.strip()).namelist()
    packaged = {name for name in names if not name.startswith("multiserve-")}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "multiserve").rglob("*.py")}
    assert packaged == sources | {"multiserve/py.typed"}


def test_no_file_names_a_package_registry_or_a_path_of_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    words = ("/" + "root/", "/" + "work/", "index" + "-url", "files.python" + "hosted")
    found = [
        (name, word)
        for name in listed.stdout.split()
        if (ROOT / name).is_file()
        for word in words
        if word in (ROOT / name).read_text("utf-8", "replace")
    ]
    assert not found
