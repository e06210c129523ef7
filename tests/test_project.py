"""README, example file, help texts, CHANGELOG and wheel say what the code does; tests/ mirrors the package."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import multiserve
from multiserve.cli import COMMANDS, main
from multiserve.config.file import load_config
from multiserve.config.groups import Group
from multiserve.config.model import Development, Server
from multiserve.config.mounts import (
    AppMount,
    FileMount,
    FleetMount,
    Mount,
    ProxiedMount,
    RedirectMount,
    StaticMount,
    TenantMount,
)

ROOT = Path(__file__).parent.parent
PACKAGE = Path(multiserve.__file__).parent  # outside of ROOT where a built wheel is tested
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = ROOT / "multiserve.toml.example"
EXAMPLES = sorted(ROOT.glob("examples/*/multiserve.toml"))


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
        pytest.param("/robots.txt", FileMount, {"file": "site/robots.txt"}, Mount, id="a file"),
        pytest.param("/old", RedirectMount, {"redirect": "/new"}, Mount, id="a redirect"),
        pytest.param("/app", ProxiedMount, {"proxy": "http://127.0.0.1:5173"}, Mount, id="a proxy"),
        pytest.param("/reports", FleetMount, {"fleet": "reports"}, Mount, id="a fleet"),
        pytest.param("/blog", AppMount, {"app": "blog:app", "group": "blog"}, AppMount, id="a mount of a group"),
    ],
)
def test_the_example_file_shows_every_option_of_a_mount(
    key: str, kind: type, target: dict[str, str], shared: type | None
) -> None:
    written = tomllib.loads(EXAMPLE.read_text("utf-8"))["mounts"][key]
    above = shown_defaults_of(shared) if shared else {}
    shown = shown_defaults_of(kind).items()
    assert written == {**target, **{name: value for name, value in shown if name not in above}}


def test_the_example_file_shows_every_option_of_a_group() -> None:
    written = tomllib.loads(EXAMPLE.read_text("utf-8"))["groups"]["blog"]
    assert written == {**shown_defaults_of(Group), "env": {}, "gunicorn": {}}


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


@pytest.mark.parametrize("command", ["run", "check", "routes", "config", "init", "import"])
def test_help_shows_examples_and_readme_names_the_command(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"]).output
    assert f"multiserve {command}" in text
    assert "Examples:" in text
    assert f"multiserve {command}" in README


def test_every_option_of_multiserve_in_the_documents_exists() -> None:
    commands = [main.get_command(click.Context(main), name) for name in COMMANDS]
    known = {option for each in commands if each for parameter in each.params for option in parameter.opts}
    known |= {"--help", "--version"}
    for path in (ROOT / "README.md", PACKAGE / "SKILL.md", ROOT / "docs" / "commands.md", ROOT / "docs" / "file.md"):
        mentioned = set(re.findall(r"`[^`\n]*?(--[a-z-]+)", path.read_text("utf-8")))
        assert (path.name, mentioned - known) == (path.name, set())
        assert mentioned


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
    if PACKAGE.parent != ROOT:
        pytest.skip("a built wheel is tested, and there are no sources")
    wheel_module = pytest.importorskip("flit_core.buildapi", reason="flit_core builds the wheel")
    code = f"import flit_core.buildapi as b; print(b.build_wheel({str(tmp_path)!r}))"
    assert wheel_module
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = zipfile.ZipFile(tmp_path / done.stdout.strip()).namelist()
    packaged = {name for name in names if not name.startswith("multiserve-")}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "multiserve").rglob("*.py")}
    assert packaged == sources | {"multiserve/py.typed", "multiserve/SKILL.md"}


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


# Modules without a test file of their own, each with what tests it instead.
TESTED_ELSEWHERE = {
    "__init__.py": "tests/test_api.py",
    "__main__.py": "tests/test_documents.py",
    "_types.py": "mypy; it holds types alone",
    "asgi.py": "tests/end_to_end/test_other_servers.py",
    "wsgi.py": "tests/end_to_end/test_other_servers.py",
    "config/model.py": "tests/config/test_file.py; it holds dataclasses alone",
    "dispatch/environ_keys.py": "tests/dispatch/test_wsgi.py; it holds names alone",
    "export/kubernetes/front.py": "tests/export/kubernetes/test_kubernetes.py; it is one of the files",
    "export/kubernetes/objects.py": "tests/export/kubernetes/test_kubernetes.py; by the schemas",
    **{
        f"discovery/{name}.py": "tests/discovery/test_proposals.py; with whole folders"
        for name in (
            *("applications", "compositions", "dash", "django", "found", "gradio"),
            *("mcp", "nicegui", "scripts", "static_folders"),
        )
    },
    **{
        f"importers/{name}.py": "tests/importers/test_formats.py; with whole files"
        for name in (
            *("dispatcher_middleware", "paste_objects", "paste_server", "procfile", "python_files"),
            *("starlette_mounts", "unit_actions", "unit_applications", "unit_document", "uwsgi_ini"),
        )
    },
    "probing/topics.py": "tests/probing/test_escapes.py; it holds a table alone",
    "survey/child.py": "tests/survey/test_mounts.py; it is the whole process of a group",
    "survey/found.py": "mypy; it holds a dataclass alone",
    "survey/looking.py": "tests/test_inspection.py",
    **{
        f"servers/development/groups/{name}.py": "tests/end_to_end/test_groups_development.py; with real processes"
        for name in ("child", "supervisor")
    },
    "servers/development/asgi_server.py": "tests/end_to_end/test_asgi_development.py",
    "servers/production/application.py": "tests/end_to_end/test_production_server.py",
    "servers/production/arbiter.py": "tests/end_to_end/test_reloads.py",
    "servers/engine/host.py": "mypy; it holds a protocol",
    "servers/engine/settings.py": "mypy; it holds settings alone",
    "servers/production/server.py": "tests/end_to_end/test_production_server.py",
    "config/kinds/grouped.py": "tests/config/test_processes.py; it holds a dataclass alone",
    "mounts/grouped/connection.py": "tests/mounts/grouped/test_client.py; with real sockets",
    **{
        f"servers/production/groups/{name}.py": "tests/end_to_end/test_groups_production.py; with real processes"
        for name in ("child", "front", "questions", "status", "supervisor")
    },
}
# Test files that concern more than one module.
TESTS_OF_MORE_THAN_A_MODULE = {
    "frameworks/test_agreement.py",
    "importers/test_same_answers.py",
    "test_documents.py",
    "test_project.py",
}
WHOLE_PROGRAM = {"apps", "benchmarks", "cluster", "compositions", "end_to_end", "published", "soak"}


def has_code(module: Path) -> bool:
    """Return whether a module does more than document itself and pass on names of other modules."""
    passing_on = (ast.Expr, ast.Import, ast.ImportFrom)
    return any(
        not isinstance(node, passing_on) and not ast.unparse(node).startswith("__all__")
        for node in ast.parse(module.read_text("utf-8")).body
    )


def names_of_tests(module: str) -> set[str]:
    """Return the names that the test file of a module may have, relative to tests/."""
    path = Path(module)
    if path.name != "__init__.py":
        return {path.with_name(f"test_{path.name}").as_posix()}
    return {(path.parent / name).as_posix() for name in ("test_init.py", f"test_{path.parent.name or 'init'}.py")}


def test_tests_mirror_the_package() -> None:
    package, tests = PACKAGE, ROOT / "tests"
    paths = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    written = {path.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")}
    written = {name for name in written if name.partition("/")[0] not in WHOLE_PROGRAM}
    modules = {name for name, path in paths.items() if not name.endswith("__init__.py") or has_code(path)}
    untested = {name for name in modules if not names_of_tests(name) & written}
    assert untested == TESTED_ELSEWHERE.keys()
    assert written - set().union(*map(names_of_tests, paths)) == TESTS_OF_MORE_THAN_A_MODULE


def test_what_tests_a_module_elsewhere_exists() -> None:
    named = [place for place in TESTED_ELSEWHERE.values() if place.startswith("tests/")]
    assert named
    assert [place for place in named if not (ROOT / place.partition(";")[0]).is_file()] == []


DOCUMENTS = ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_documents_name_exist(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    named = set(re.findall(r"(?<![\w./-])(?:multiserve|tests|docs|examples|\.ci)/[\w./-]*\w", text))
    named -= {name for name in named if "nnn" in name}  # a placeholder for the code of a check
    links = {target for target in re.findall(r"\]\(([^)#:]+)\)", text) if target}
    missing = {name for name in named if not (ROOT / name).exists() and not (PACKAGE.parent / name).exists()}
    missing |= {link for link in links if not ((ROOT / document).parent / link).exists()}
    assert missing == set()


LINKED = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", LINKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_documents_lead_to_files(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = set(re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", text))
    places = {link: path.parent / link for link in links}
    in_package = {link for link in links if (PACKAGE.parent / link).exists()}
    assert {link for link, place in places.items() if not place.exists()} - in_package == set()


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pin_each_action_and_ask_for_no_more_than_reading(path: Path) -> None:
    text = path.read_text("utf-8")
    used = re.findall(r"^\s*(?:- )?uses: *(.*)$", text, re.MULTILINE)
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", text, re.MULTILINE) == ["  contents: read\n"]


def test_one_hash_stands_for_each_action() -> None:
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: *([\w./-]+)@(\w+)", text))
    assert len({action for action, _ in pins}) == len(pins)


def test_only_the_job_that_publishes_may_ask_for_a_token() -> None:
    granted = {}
    for path in WORKFLOWS:
        jobs = path.read_text("utf-8").partition("\njobs:\n")[2]
        for name, body in re.findall(r"^  (\w+):\n((?:    .*\n|\n)+)", jobs, re.MULTILINE):
            for lines in re.findall(r"^    permissions:\n((?:      .*\n)+)", body, re.MULTILINE):
                granted[path.name, name] = [line.partition("#")[0].strip() for line in lines.splitlines()]
    assert granted == {("release.yml", "publish"): ["id-token: write"]}
