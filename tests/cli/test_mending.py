"""`multiserve check --diff` and `--fix`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPOSITIONS = Path(__file__).parents[1] / "compositions"
CLASH = {
    "multiserve.toml": '[mounts]\n"/" = "shop:app"\n"/blog" = "blog:app"\n',
    "shop.py": "import flask\napp = flask.Flask(__name__)\napp.secret_key = '5f2c9d8e7b'\n",
    "blog.py": "import flask\napp = flask.Flask(__name__)\napp.secret_key = '1a9d3c4b2e'\n"
    "app.config['SESSION_COOKIE_NAME'] = 'session'  # ours\n",
}
MENDED = [
    pytest.param(
        "MS100",
        "multiserve.toml",
        [('ignore = ["MS999"]\n', ""), (', ignore = ["MS120x"]', "")],
        ['  MS100 ignore: Remove "MS999" from ignore.', '  MS100 /blog: Remove "MS120x" from ignore.'],
        id="codes that no check has",
    ),
    pytest.param(
        CLASH,
        "blog.py",
        [("= 'session'", "= 'session_blog'")],
        ['  MS121 /blog, /: Set SESSION_COOKIE_NAME = "session_blog" in the application at /blog.'],
        id="the name of a cookie, in its own quotes",
    ),
    pytest.param(
        "MS130",
        "shop.py",
        [('"/shop"', '"/store"')],
        ['  MS130 /store: Set APPLICATION_ROOT = "/store", or remove it.'],
        id="a setting of Flask",
    ),
    pytest.param(
        "MS131",
        "shop/settings.py",
        [('FORCE_SCRIPT_NAME = "/shop"\n', "")],
        ["  MS131 /store: Remove FORCE_SCRIPT_NAME from the settings."],
        id="a setting of Django",
    ),
    pytest.param(
        "MS154",
        "multiserve.toml",
        [(', interface = "asgi"', "")],
        ["  MS154 /: Remove interface."],
        id="an option of a mount",
    ),
    pytest.param(
        "MS155",
        "multiserve.toml",
        [('"shop:app"\n', '"shop:app"\n"/robots.txt" = { redirect = "/shop/robots.txt" }\n')],
        ['  MS155 /shop: Add "/robots.txt" = { redirect = "/shop/robots.txt" } under [mounts].'],
        id="a mount more",
    ),
]


@pytest.fixture
def check(tmp_path):
    """Run `multiserve check` on a composition in a process of its own."""

    def run(*options):
        command = [sys.executable, "-m", "multiserve", "check", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    return run


def write(composition, folder):
    if isinstance(composition, str):
        shutil.copytree(COMPOSITIONS / composition / "broken", folder, dirs_exist_ok=True)
        return composition
    for name, text in composition.items():
        (folder / name).write_text(text)
    return "MS121"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize(("composition", "file", "changes", "said"), MENDED)
def test_the_cure_is_applied_and_the_finding_gone(check, tmp_path, composition, file, changes, said):
    pytest.importorskip("django" if composition == "MS131" else "flask")
    code = write(composition, tmp_path)
    before = contents(tmp_path)
    expected = before[file].decode()
    for old, new in changes:
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    shown = check("--diff", "--select", code)
    assert contents(tmp_path) == before
    assert shown.stdout.startswith(f"--- a/{file}\n+++ b/{file}\n@@ ")
    done = check("--fix", "--select", code)
    told = [line for line in done.stderr.splitlines() if not line.startswith("loading ")]  # on a slow machine
    assert (done.returncode, told) == (0, [f"Changed {file}:", *said])
    assert code not in done.stdout
    assert contents(tmp_path) == {**before, file: expected.encode()}


def test_where_nothing_is_to_be_changed_the_findings_are_shown(check, tmp_path):
    (tmp_path / "multiserve.toml").write_text('[mounts]\n"/" = { redirect = "/x" }\n"/x" = { redirect = "/" }\n')
    nothing = "No finding has a cure that is one exact edit of a file in this folder.\n"
    done, shown = check("--fix"), check("--diff")
    assert (done.returncode, done.stderr, "error MS105" in done.stdout) == (1, nothing, True)
    assert (shown.returncode, shown.stderr, shown.stdout) == (1, nothing, "")


def test_targets_have_no_file_to_change(check):
    done = check("--fix", "shop:app")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: --diff and --fix change a file, and targets have none\n    Write one with multiserve run --save.\n"
    )
