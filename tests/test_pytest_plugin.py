"""The fixtures, in a run of pytest of their own."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys

import pytest

WEB = """
import sys
def app(environ, start_response):
    name = environ.get("HTTP_COOKIE", "none")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "seen=1")])
    return [name.encode()]
async def live(scope, receive, send):
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            with open("lifespan", "a") as file:
                print(kind, file=file)
            await send({"type": f"lifespan.{kind}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"live"})
"""
GOOD = '[mounts]\n"/" = "web:app"\n"/live" = "web:live"\n'
MARKER = '@pytest.mark.multiserve("other/site.toml")'


@pytest.fixture
def run(tmp_path, environment_of_pytest):
    """Run pytest over a file of tests beside a configuration, and give its outcome and its output."""

    def run_pytest(tests, *args, file=GOOD, ini=""):
        (tmp_path / "multiserve.toml").write_text(file)
        (tmp_path / "web.py").write_text(WEB)
        (tmp_path / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n{ini}")
        (tmp_path / "test_site.py").write_text(f"import pytest\n{tests}")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *args]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment_of_pytest, capture_output=True, text=True, check=False
        )
        return done.returncode, re.sub(r" in [0-9.]+s", "", done.stdout)

    return run_pytest


def test_the_plugin_is_registered_for_pytest_alone():
    [entry] = [each for each in importlib.metadata.entry_points(group="pytest11") if each.name == "multiserve"]
    assert entry.value == "multiserve.pytest_plugin"
    requirements = importlib.metadata.requires("multiserve") or []
    assert [each for each in requirements if each.startswith("pytest")] == []


def test_without_its_fixtures_the_plugin_imports_nothing():
    code = (
        "import sys, pytest; before = set(sys.modules); import multiserve.pytest_plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["multiserve", "multiserve.pytest_plugin"]


def test_each_test_gets_a_client_without_cookies_and_lifespans_run_once(run, tmp_path):
    tests = """
@pytest.mark.parametrize("turn", [1, 2])
def test_it(multiserve_client, turn):
    assert multiserve_client.get("/live").text == "live"
    assert [multiserve_client.get("/").text for _ in range(2)] == ["none", "seen=1"]
"""
    code, out = run(tests)
    assert (code, out.split()) == (0, ["..", "[100%]", "2", "passed"])
    assert (tmp_path / "lifespan").read_text() == "startup\nshutdown\n"


@pytest.mark.parametrize(
    ("tests", "ini"),
    [
        pytest.param("def test_it(multiserve_client): ...", "multiserve_config = other/site.toml", id="the setting"),
        pytest.param(
            '@pytest.mark.multiserve("other/site.toml")\ndef test_it(multiserve_client): ...', "", id="a marker"
        ),
        pytest.param(
            f'pytestmark = pytest.mark.multiserve("no.toml")\n{MARKER}\ndef test_it(multiserve_client): ...',
            "multiserve_config = no.toml",
            id="the closest marker",
        ),
    ],
)
def test_another_file_is_named(run, tmp_path, tests, ini):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "site.toml").write_text("pythonpath = ['..']\n[mounts]\n'/other' = 'web:app'")
    tests = tests.replace("...", 'assert [multiserve_client.get(url).status for url in ("/", "/other")] == [404, 200]')
    assert run(tests, ini=ini)[0] == 0


def test_a_file_that_is_not_there_is_told(run, tmp_path):
    code, out = run("def test_it(multiserve_client): ...", ini="multiserve_config = no.toml")
    assert code == 1
    assert (
        f"there is no file {tmp_path / 'no.toml'}\n"
        "Name the file by multiserve_config in the settings of pytest, or with @pytest.mark.multiserve(...).\n"
    ) in out


@pytest.mark.parametrize(
    ("file", "error"),
    [
        pytest.param('[mounts]\n"/" = 1', 'mounts."/": expected a target, found a whole number', id="a wrong file"),
        pytest.param('[mounts]\n"/" = "web:gone"', 'mounts."/": "web" has no "gone"', id="nothing to serve"),
    ],
)
def test_a_composition_that_cannot_be_served_fails_without_a_traceback(run, file, error):
    code, out = run("def test_it(multiserve_client): ...", file=file)
    assert code == 1
    assert error in out
    assert "Traceback" not in out
    assert "pytest_plugin.py" not in out


def test_check_passes_where_nothing_is_found(run):
    tests = "def test_it(multiserve_check):\n    multiserve_check(production=True)\n    multiserve_check(probe=True)"
    assert run(tests)[0] == 0


def test_check_fails_with_what_is_found(run, tmp_path):
    code, out = run("def test_it(multiserve_check):\n    multiserve_check()", file=f'{GOOD}"/gone" = "web:gone"')
    assert code == 1
    assert f"E   AssertionError: multiserve check finds something in {tmp_path / 'multiserve.toml'}:\n" in out
    assert 'E   error MS301 /gone: "web" has no "gone" (' in out
    assert "assert_no_findings" not in out
