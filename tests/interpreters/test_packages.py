"""What multiserve needs for serving applications is read from what is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import multiserve
from multiserve.interpreters.packages import needed_packages
from multiserve.interpreters.requirements import Requirement

LINUX = {"python_version": "3.12", "sys_platform": "linux", "extra": ""}
SERVING = """
import sys
import multiserve.api, multiserve.servers.engine.listener, multiserve.servers.production.server
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def write_metadata(folder, name, text, **files):
    (folder / name).mkdir(parents=True)
    for file, content in {"METADATA": f"Metadata-Version: 2.1\n{text}\n", **files}.items():
        (folder / name / file.replace("_txt", ".txt")).write_text(content)


def test_it_is_multiserve_and_what_that_needs_in_turn():
    names = needed_packages(LINUX).keys()
    needed = {
        "multiserve",
        "gunicorn",
        "httptools",
        "tomli",
        "uvicorn",
        "click",
        "websockets",
        "werkzeug",
        "markupsafe",
    }
    assert needed <= names
    assert names.isdisjoint({"flask", "starlette", "h11", "uvloop", "aiohttp", "cryptography", "python-dotenv"})


def test_a_system_needs_what_its_markers_say():
    assert "gunicorn" not in needed_packages({**LINUX, "sys_platform": "win32"})


def test_something_that_is_not_installed_here_may_be_needed_there(tmp_path, monkeypatch):
    write_metadata(tmp_path, "gunicorn-99.dist-info", "Name: gunicorn\nVersion: 99\nRequires-Dist: not-here>=1")
    monkeypatch.syspath_prepend(tmp_path)
    packages = needed_packages(LINUX)
    assert packages["gunicorn"].needs == (Requirement("not-here", ">=1"),)
    assert packages["not-here"] is None


def test_serving_needs_less_than_the_command_line_does():
    packages = needed_packages(LINUX)
    needs = {need.name: need.versions for need in packages["multiserve"].needs}
    assert "click" not in needs
    assert (needs["websockets"], needs["werkzeug"]) == (">=11", "")
    assert [need.name for need in packages["uvicorn"].needs] == ["click"]


def test_what_serving_does_not_need_is_not_imported_by_it():
    done = subprocess.run([sys.executable, "-c", SERVING], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert {"multiserve", "gunicorn", "httptools", "tomli", "uvicorn", "websockets", "click"} <= names
    assert names.isdisjoint({"h11", "werkzeug", "markupsafe", "aiohttp", "packaging"})


def test_a_package_is_where_its_modules_are():
    packages = needed_packages(LINUX)
    assert packages["multiserve"].folder == Path(multiserve.__file__).parents[1]
    assert packages["multiserve"].modules == ("multiserve",)
    for name in ("gunicorn", "uvicorn", "httptools"):
        assert packages[name].modules == (name,)
        assert (packages[name].folder / name / "__init__.py").is_file()


def test_compiled_modules_are_known():
    packages = needed_packages(LINUX)
    assert any(name.startswith("parser.") for name in packages["httptools"].compiled)
    assert packages["gunicorn"].compiled == ()


def test_a_package_of_the_system_says_its_modules_in_a_file_of_its_own(tmp_path, monkeypatch):
    text = "Name: gunicorn\nVersion: 99"
    write_metadata(tmp_path, "gunicorn-99.dist-info", text, top_level_txt="gunicorn\nanother\n")
    (tmp_path / "gunicorn").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    package = needed_packages(LINUX)["gunicorn"]
    assert (package.modules, package.folder) == (("gunicorn", "another"), tmp_path)


@pytest.mark.parametrize("file", ["gunicorn/__init__.py", "gunicorn.py"])
def test_an_editable_package_is_in_the_folder_that_is_imported_from(tmp_path, monkeypatch, file):
    write_metadata(
        tmp_path / "installed", "gunicorn-99.dist-info", "Name: gunicorn\nVersion: 99", RECORD="gunicorn.pth,,"
    )
    (tmp_path / "source" / file).parent.mkdir(parents=True)
    (tmp_path / "source" / file).touch()
    for name in [name for name in sys.modules if name.partition(".")[0] == "gunicorn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "source")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    package = needed_packages(LINUX)["gunicorn"]
    assert (package.modules, package.folder) == (("gunicorn",), tmp_path / "source")
