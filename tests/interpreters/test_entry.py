"""A process of another environment runs our code, and its application sees its own packages alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import multiserve
from multiserve.interpreters import entry
from multiserve.interpreters.command import command, environment
from multiserve.interpreters.interpreter import find_interpreter

OURS = str(Path(multiserve.__file__).parent)
IMPORTED = "[__import__(name).__file__ for name in {}]"
WHETHER_FOUND = "[__import__('importlib.util').util.find_spec(name) is not None for name in {}]"
VERSIONS = "[[m.version(name) for name in {}] for m in [__import__('importlib.metadata').metadata]][0]"
NOT_FOUND = (
    "[name for name in {} if not any(True for _ in __import__('importlib.metadata').metadata.distributions(name=name))]"
)


def test_an_empty_environment_imports_multiserve_and_what_it_needs(make_environment):
    other = make_environment()
    names = ["multiserve", "multiserve.servers.production.server", "multiserve.servers.engine.listener"]
    assert other.run(f"[__import__(name).__file__ for name in {names}]") == [f"{OURS}/__init__.py"] * 3
    places = other.run(IMPORTED.format(["gunicorn", "uvicorn", "httptools", "websockets", "click", "tomli"]))
    assert all(not Path(place).is_relative_to(other.folder) for place in places)


def test_the_rest_of_our_environment_is_invisible(make_environment):
    names = ["flask", "pytest", "starlette", "jinja2", "h11", "pip"]
    assert make_environment().run(WHETHER_FOUND.format(names)) == [False] * len(names)


def test_the_application_sees_its_own_packages(make_environment):
    other = make_environment(flask="0.12", click="7.0", werkzeug="0.16", websockets="12.0")
    names = ["flask", "click", "werkzeug", "websockets"]
    assert other.run(f"[__import__(name).__version__ for name in {names}]") == ["0.12", "7.0", "0.16", "12.0"]
    assert other.run(VERSIONS.format(names)) == ["0.12", "7.0", "0.16", "12.0"]


def test_our_server_goes_before_an_older_one(make_environment):
    other = make_environment(gunicorn="19.9", flask="0.12")
    (place, flask) = other.run(IMPORTED.format(["gunicorn.arbiter", "flask"]))
    assert not Path(place).is_relative_to(other.folder)
    assert Path(flask).is_relative_to(other.folder)


def test_a_server_of_its_own_that_fits_is_used(make_environment):
    (place,) = make_environment(gunicorn="99").run(IMPORTED.format(["gunicorn"]))
    assert "theirs" in Path(place).parts


def test_our_multiserve_goes_before_another(make_environment):
    assert make_environment(multiserve="99").run("__import__('multiserve').__file__") == f"{OURS}/__init__.py"


def test_metadata_knows_the_packages_of_the_environment_alone(make_environment):
    other = make_environment(flask="0.12", gunicorn="19.9")
    assert other.run(VERSIONS.format(["flask", "gunicorn"])) == ["0.12", "19.9"]
    names = ["flask", "gunicorn", "uvicorn", "multiserve", "click"]
    assert other.run(NOT_FOUND.format(names)) == ["uvicorn", "multiserve", "click"]


def test_servers_do_not_mind_that_metadata_does_not_know_them(make_environment):
    expression = "[__import__(name).__version__ for name in ('gunicorn', 'uvicorn', 'httptools', 'multiserve')]"
    versions = make_environment().run(expression)
    from importlib.metadata import version

    assert versions == [version(name) for name in ("gunicorn", "uvicorn", "httptools", "multiserve")]


def test_the_search_path_is_that_of_the_environment(make_environment):
    other = make_environment()
    path = other.run("sys.path")
    plain = subprocess.run(
        [other.interpreter.path, "-P", "-c", "import sys; print('\\n'.join(sys.path))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert path == plain.stdout.splitlines()


def test_our_modules_are_looked_for_last(make_environment):
    names = make_environment().run("[getattr(each, '__name__', type(each).__name__) for each in sys.meta_path]")
    assert (names[-2:], names.count("Borrowed")) == (["PathFinder", "Borrowed"], 1)


def test_variables_of_ours_reach_no_application(make_environment, tmp_path):
    (tmp_path / "on_our_path.py").touch()
    other = make_environment()
    found = other.run(
        "[os.environ.get('PYTHONPATH'), sorted(name for name in os.environ if name.startswith('MULTISERVE')),"
        " __import__('importlib.util').util.find_spec('on_our_path')]",
        PYTHONPATH=str(tmp_path),
    )
    assert found == [None, [], None]


def test_arguments_come_as_for_the_command(make_environment):
    assert make_environment().run("sys.argv", "run", "--production") == ["multiserve", "run", "--production"]


def run_ours(tmp_path, code, *arguments):
    (tmp_path / "called.py").write_text(code)
    ours = find_interpreter(None)
    return subprocess.run(
        command(ours, "called:main", arguments),
        env=environment(ours, {**os.environ, "PYTHONPATH": str(tmp_path)}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_our_own_interpreter_borrows_nothing(tmp_path):
    done = run_ours(tmp_path, "import sys\ndef main():\n    print(*map(type, sys.meta_path))\n    print(sys.path)\n")
    assert "Borrowed" not in done.stdout
    assert str(Path(entry.__file__).parent) not in done.stdout
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize(("returned", "code"), [("None", 0), ("0", 0), ("3", 3)])
def test_it_exits_with_what_the_function_returns(tmp_path, returned, code):
    assert run_ours(tmp_path, f"def main():\n    return {returned}\n").returncode == code


def test_a_process_that_the_application_spawns_does_not_run_the_function_again(tmp_path):
    code = (
        "import multiprocessing\ndef work():\n    print('working', flush=True)\n"
        "def main():\n    process = multiprocessing.get_context('spawn').Process(target=work)\n"
        "    process.start()\n    process.join()\n    print('done')\n"
    )
    done = run_ours(tmp_path, code)
    assert (done.stdout, done.stderr) == ("working\ndone\n", "")


def test_the_folder_that_links_lead_to_is_not_searched(tmp_path):
    for name in ("entry.py", "borrowing.py"):
        (tmp_path / name).symlink_to(Path(entry.__file__).with_name(name))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "called.py").write_text("import sys\ndef main():\n    print('\\n'.join(sys.path))\n")
    done = subprocess.run(
        [sys.executable, tmp_path / "entry.py", "called:main"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    path = done.stdout.splitlines()
    assert str(tmp_path / "site") in path
    assert {str(tmp_path), str(Path(entry.__file__).parent)}.isdisjoint(path)


def test_without_a_target_the_usage_is_said():
    done = subprocess.run([sys.executable, entry.__file__], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("usage: entry.py MODULE:FUNCTION [ARGUMENT]...\n", 1)
