"""`multiserve run`, as far as nothing is served."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from multiserve.cli.run import _refuse_gunicorn
from multiserve.errors import ServeError

APPS = Path(__file__).parents[1] / "apps"
GOOD = f"""
pythonpath = ['{APPS}']
[mounts]
"/" = "good:app"
"/lazy" = "lazy"
"/made" = "factories:create_app(prefix)"
"""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(["--workers", "2"], "--workers needs --production.", id="workers"),
        pytest.param(["--threads", "2"], "--threads needs --production.", id="threads"),
        pytest.param(["--bind", "x:1"], "--bind needs --production.", id="bind"),
        pytest.param(["--only-group", "blog"], "--only-group needs --production.", id="a group alone"),
        pytest.param(["--pidfile", "x"], "--pidfile needs --production.", id="pidfile"),
        pytest.param(
            ["--production", "--no-reload"],
            "--reload is an option of the development server: leave out --production.",
            id="reload",
        ),
        pytest.param(
            ["--production", "--debugger"],
            "--debugger is an option of the development server: leave out --production.",
            id="debugger",
        ),
        pytest.param(
            ["--production", "--extra-files", "x"],
            "--extra-files is an option of the development server: leave out --production.",
            id="files",
        ),
        pytest.param(
            ["--production", "--https"],
            "--https is for development: for --production, set certfile and keyfile under [gunicorn].",
            id="https",
        ),
        pytest.param(
            ["--production", "--bind", "x:1", "--port", "1"],
            "--bind replaces --host and --port: leave them out.",
            id="bind and port",
        ),
    ],
)
def test_options_that_do_not_belong_together_are_wrong_usage(run, write_config, args, message):
    write_config(GOOD)
    code, out, err = run("run", *args)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: multiserve run [OPTIONS] [[KEY=]TARGET]...\n")
    assert err.endswith(f"\n\nError: {message}\n")


def test_an_unknown_option_is_wrong_usage(run):
    code, out, err = run("run", "--zzz")
    assert (code, out) == (2, "")
    assert "No such option" in err


def test_a_variable_of_the_other_server_may_stay_set(run, write_config, monkeypatch):
    write_config("[mounts]\n'/' = 'a:'")
    monkeypatch.setenv("MULTISERVE_WORKERS", "2")
    assert run("run")[0] == 1
    monkeypatch.setenv("MULTISERVE_PRODUCTION", "1")
    monkeypatch.setenv("MULTISERVE_RELOAD", "1")
    assert run("run")[0] == 1


@pytest.mark.parametrize("mode", [[], ["--production"]], ids=["development", "production"])
def test_run_refuses_a_mount_that_is_not_there(run, write_config, mode):
    write_config(GOOD)
    message = "Error: /admin: no such mount\n    Known here: /, /lazy, /made.\n"
    assert run("run", *mode, "--only", "/admin") == (1, "", message)


def test_a_production_server_that_cannot_be_imported_says_what_to_run_instead(run, write_config, monkeypatch):
    write_config(GOOD)
    monkeypatch.setitem(sys.modules, "multiserve.servers.production.server", None)
    monkeypatch.delattr("multiserve.servers.production.server", raising=False)
    code, out, err = run("run", "--production")
    assert (code, out) == (ServeError.exit_code, "")
    assert err.startswith("Error: gunicorn cannot be imported: ")
    assert err.endswith(
        "    Use another server: waitress-serve multiserve.wsgi:application if all mounts are WSGI, "
        "or uvicorn multiserve.asgi:application, which serves mounts of both kinds.\n"
    )


def test_on_windows_production_says_which_servers_run_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        with pytest.raises(ServeError) as caught:
            _refuse_gunicorn(ImportError("No module named 'fcntl'"))
    assert str(caught.value) == (
        "gunicorn does not run on Windows\n"
        "    Use another server: waitress-serve multiserve.wsgi:application if all mounts are WSGI, "
        "or uvicorn multiserve.asgi:application, which serves mounts of both kinds."
    )
