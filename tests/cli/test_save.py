"""`multiserve run --save`."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config

HEADER = """\
# Written by "multiserve run --save". What each key means, and which more there are:
# multiserve.toml.example, and docs/file.md, of multiserve.
"""
NEXT_MOUNTS = """\
# What you may change next:
# - a mount with options: "/api" = { app = "api:app", required = true }
# - a host instead of a prefix: "api.example.com" = "api:app"
"""
NEXT_TABLES = """\
# - the address, and how many processes there are in production (multiserve run --production):
#
# [server]
# port = 8000
#
# [gunicorn]
# workers = 4
"""


def test_the_file_has_the_mounts_and_says_what_one_changes_next(run, tmp_path):
    (tmp_path / "static").mkdir()
    targets = ["storefront:app", "/admin=office:create_app('x')", "/static=static", "/old={ redirect = '/new' }"]
    told = "Wrote multiserve.toml with 4 mounts.\nNext:\n  multiserve check\n  multiserve run\n"
    assert run("run", *targets, "--save") == (0, told, "")
    assert (
        (tmp_path / "multiserve.toml").read_text()
        == f"""\
{HEADER}
[mounts]
"/"       = "storefront:app"
"/admin"  = "office:create_app('x')"
"/static" = {{ static = "static" }}
"/old"    = {{ redirect = "/new" }}

{NEXT_MOUNTS}{NEXT_TABLES}"""
    )


def test_the_file_has_the_options_that_were_typed(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTISERVE_STRICT", "1")
    options = ["--production", "--port", "5000", "--workers", "3", "--pidfile", "run.pid", "--trusted-proxies", "1"]
    told = (
        "Wrote multiserve.toml with 1 mount.\nNext:\n  multiserve check --production\n  multiserve run --production\n"
    )
    assert run("run", "storefront:app", "--save", *options) == (0, told, "")
    assert (
        (tmp_path / "multiserve.toml").read_text()
        == f"""\
{HEADER}
[mounts]
"/" = "storefront:app"

[server]
port = 5000
trusted_proxies = 1

[gunicorn]
workers = 3
pidfile = "run.pid"

{NEXT_MOUNTS}"""
    )


def test_the_file_reads_as_the_command_line_does(run, tmp_path):
    targets = ["office:make('${HOME}')", "Api.example.com=api:app", "/docs={ static = 'site', fallback = 'a.html' }"]
    options = ["--no-reload", "--extra-files", "a.txt", "--extra-files", "b.txt", "--host", "127.0.0.2"]
    assert run("run", *targets, *options, "--save")[0] == 0
    config = load_config(tmp_path / "multiserve.toml")
    assert [(mount.name, mount.what) for mount in config.mounts] == [
        ("/", "office:make('${HOME}')"),
        ("api.example.com", "api:app"),
        ("/docs", "site"),
    ]
    assert (config.development.reload, config.development.extra_files) == (False, ("a.txt", "b.txt"))
    assert config.server.host == "127.0.0.2"


@pytest.mark.parametrize(
    ("args", "told", "lines"),
    [
        pytest.param(["--open"], "Not saved: --open: it has no key in the file.\n", "", id="one without a key"),
        pytest.param(
            ["--open", "-v", "--env-file", "a.env", "-p", "5000"],
            "Not saved: --env-file, --open, --verbose: they have no key in the file.\n",
            "[server]\nport = 5000\n",
            id="three without a key",
        ),
        pytest.param(
            ["--log-level", "debug", "--traceback"],
            "Not saved: --log-level: it has no key in the file.\n",
            "",
            id="the level of development",
        ),
        pytest.param(
            ["--production", "--log-level", "error"], "", '[gunicorn]\nloglevel = "error"\n', id="that of production"
        ),
        pytest.param(["--production", "-q"], "", '[gunicorn]\nloglevel = "warning"\n', id="its short form"),
        pytest.param(
            ["--production", "--bind", "a:1", "--bind", "unix:b"],
            "",
            '[gunicorn]\nbind = ["a:1", "unix:b"]\n',
            id="several addresses",
        ),
    ],
)
def test_an_option_is_in_the_file_or_is_told_to_be_left_out(run, tmp_path, monkeypatch, args, told, lines):
    monkeypatch.setenv("MULTISERVE_LOG_LEVEL", "critical")
    code, _, err = run("run", "storefront:app", "--save", *args)
    assert (code, err) == (0, told)
    tables = (tmp_path / "multiserve.toml").read_text().partition('"/" = "storefront:app"\n\n')[2]
    assert tables.partition("# What")[0].strip() == lines.strip()


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        pytest.param([], 2, "--save writes targets into a file: name one, such as module:app.", id="no targets"),
        pytest.param(["a:b", "--only", "/"], 2, "--save writes all mounts: leave out --only.", id="only"),
        pytest.param(
            ["admin=a:b"],
            1,
            'admin=a:b: "admin" is neither a path nor a host\n    Did you mean "/admin"? A host has a dot or a port.',
            id="a mistake",
        ),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_written(run, tmp_path, args, code, message):
    found, out, err = run("run", "--save", *args)
    assert (found, out) == (code, "")
    assert err.endswith(f"Error: {message}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays(run, write_config):
    path = write_config("mine")
    message = "there is a multiserve.toml already\n    It stays as it is."
    told = f'Error: {message} "multiserve check -c multiserve.toml" shows what is in it.\n'
    assert run("run", "a:b", "--save") == (1, "", told)
    assert path.read_text() == "mine"
