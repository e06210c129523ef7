from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from multiserve.checks import Finding
from multiserve.cli import main
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.loading.side_effects import SideEffects
from multiserve.reports.check import Outcome, as_github, as_json, as_text, refusal_as_json, refusal_for_github

TEXT = """\
ignore = ["MS150"]

[mounts]
"/" = "shop:app"
"/gone" = 'qqqq:app'

[mounts."/100%,a:b"]
app = "shop:app"
ignore = ["MS123"]

[server]
port = 0
"""
COSTS = SideEffects(seconds=1.23456, memory=5 * 2**20)


def finding(code, severity, mounts, key, message="what is so"):
    return Finding(
        code=code, severity=severity, mounts=mounts, key=key, message=message, consequence="Then.", cure="Cure."
    )


FINDINGS = [
    finding("MS102", "error", ("/100%,a:b", "/"), 'mounts."/100%,a:b"', "100% of\r\nits routes"),
    finding("MS100", "warning", ("/100%,a:b",), 'mounts."/100%,a:b".ignore'),
    finding("MS120", "warning", ("/",), 'mounts."/".ignore'),
    finding("MS151", "note", (), "server.host"),
    finding("MS171", "note", (), "gunicorn"),
]


@pytest.fixture
def outcome(tmp_path, write_config, kept_process):
    (tmp_path / "shop.py").write_text("def app(environ, start_response): ...")
    composition = compose(load_config(write_config(TEXT)))
    effects = {loaded.mount.name: SideEffects() for loaded in composition.mounts}
    return Outcome(composition, FINDINGS, {**effects, "/": COSTS}, shows_costs=False)


def test_text_tells_the_mounts_and_then_each_finding(outcome):
    assert as_text(outcome) == (
        "ok      /          shop:app  WSGI\n"
        "FAILED  /gone      qqqq:app\n"
        '        there is no module "qqqq"\n'
        "        Install the package that has it, or add the folder that has it to pythonpath.\n"
        "ok      /100%,a:b  shop:app  WSGI\n"
        "\n"
        "error MS102 /100%,a:b, /: 100% of\r\nits routes\n        Then.\n        Cure.\n"
        "\n"
        "warning MS100 /100%,a:b: what is so\n        Then.\n        Cure.\n"
        "\n"
        "warning MS120 /: what is so\n        Then.\n        Cure.\n"
        "\n"
        "note MS151 server.host: what is so\n        Then.\n        Cure.\n"
        "\n"
        "note MS171 gunicorn: what is so\n        Then.\n        Cure."
    )


def test_text_tells_the_costs_if_asked(outcome):
    assert as_text(outcome._replace(findings=[], shows_costs=True)).partition("\n\n")[2] == (
        "MOUNT      SECONDS  MEMORY\n"
        "/          1.23     5 MB\n"
        "/gone      0.00     0 MB\n"
        "/100%,a:b  0.00     0 MB"
    )  # fmt: skip


def test_json_holds_everything(outcome):
    failure = {
        "key": 'mounts."/gone"',
        "message": 'there is no module "qqqq"',
        "hint": "Install the package that has it, or add the folder that has it to pythonpath.",
    }
    mount = {"host": "", "port": None, "kind": "app", "target": "shop:app"}
    good = {**mount, "ok": True, "interface": "wsgi", "problems": []}
    free = {"seconds": 0.0, "memory": 0}
    assert json.loads(as_json(outcome._replace(findings=FINDINGS[:1]))) == {
        "ok": False,
        "problems": [],
        "mounts": [
            {**good, "mount": "/", "prefix": "", "seconds": 1.235, "memory": 5 * 2**20},
            {**mount, **free, "mount": "/gone", "prefix": "/gone", "target": "qqqq:app", "ok": False,
             "interface": None, "problems": [failure]},
            {**good, **free, "mount": "/100%,a:b", "prefix": "/100%,a:b"},
        ],
        "findings": [
            {
                "code": "MS102",
                "severity": "error",
                "mounts": ["/100%,a:b", "/"],
                "key": 'mounts."/100%,a:b"',
                "message": "100% of\r\nits routes",
                "consequence": "Then.",
                "cure": "Cure.",
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("severities", "is_right"),
    [
        pytest.param([], True, id="nothing"),
        pytest.param(["warning", "note"], True, id="no error"),
        pytest.param(["note", "error"], False, id="an error"),
    ],
)
def test_all_is_right_without_errors(outcome, severities, is_right):
    composition = replace(outcome.composition, mounts=outcome.composition.mounts[:1])
    findings = [replace(FINDINGS[0], severity=severity) for severity in severities]
    assert json.loads(as_json(outcome._replace(composition=composition, findings=findings)))["ok"] is is_right


def test_github_gets_a_command_for_each_at_its_line(outcome):
    path = outcome.composition.config.path
    rest = "what is so%0AThen.%0ACure."
    gone = 'there is no module "qqqq"%0AInstall the package that has it, or add the folder that has it to pythonpath.'
    assert as_github(outcome).splitlines() == [
        f"::error file={path},line=5,title=cannot be loaded::{gone}",
        f"::error file={path},line=7,title=MS102 /100%25%2Ca%3Ab%2C /::100%25 of%0D%0Aits routes%0AThen.%0ACure.",
        f"::warning file={path},line=9,title=MS100 /100%25%2Ca%3Ab::{rest}",
        f"::warning file={path},line=4,title=MS120 /::{rest}",
        f"::notice file={path},line=11,title=MS151::{rest}",
        f"::notice file={path},line=1,title=MS171::{rest}",
    ]


LINES = [
    pytest.param("# ignore = []\nignore = []\n[mounts]\n", "ignore", 2, id="at the top"),
    pytest.param("[tool.multiserve]\nignore = []", "tool.multiserve.ignore", 2, id="in pyproject.toml"),
    pytest.param('[mounts]\n  \'/a\' = "x"\n"/a.b" = "y"', 'mounts."/a.b"', 3, id="a key with a dot"),
    pytest.param('[ mounts . "/a" ]\napp = "x"', 'mounts."/a".app', 2, id="a header with spaces"),
    pytest.param('mounts."/a".app = "x"\nmounts."/b" = "y"', 'mounts."/b"', 2, id="dotted keys"),
    pytest.param('[mounts]\n"/ignore" = "x"\n"/a" = { app = "x", ignore = [] }', 'mounts."/a".ignore', 3, id="inside"),
    pytest.param("[server]\nport = 1", "gunicorn.workers", 1, id="nowhere"),
]


@pytest.mark.parametrize(("text", "key", "line"), LINES)
def test_the_line_of_a_key_is_found(outcome, write_config, text, key, line):
    path = write_config(text)
    found = as_github(outcome._replace(
        composition=replace(outcome.composition, mounts=()), findings=[finding("MS100", "note", (), key)]
    ))  # fmt: skip
    assert found == f"::notice file={path},line={line},title=MS100::what is so%0AThen.%0ACure."


REFUSED = [
    pytest.param(
        '[mounts]\n"/" = 1', 'line=2,title=mounts."/"::expected a target, found a whole number%0A'
        'Write "module:attribute" in quotes.', id="a value",
    ),
    pytest.param(
        "[mounts]\n/ = 1", "line=2,title=multiserve::not TOML: Invalid statement%0A"
        'A key with a slash is written in quotes: "/admin".', id="no TOML",
    ),
    pytest.param(
        "", 'line=1,title=mounts::there are no mounts%0AWrite at least one, such as "/" = "module:app".', id="no mounts"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_github_gets_what_is_wrong_with_the_file(write_config, text, expected):
    path = write_config(text)
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert refusal_for_github(refusal.value) == f"::error file={path},{expected}"


def test_a_refusal_without_a_file_has_no_line():
    assert refusal_for_github(ConfigError("there is no file")) == "::error line=1,title=multiserve::there is no file"
    assert json.loads(refusal_as_json(ConfigError("there is no file"))) == {
        "ok": False,
        "problems": [{"key": "", "message": "there is no file", "hint": ""}],
        "mounts": [],
        "findings": [],
    }


# The exit codes.
SHOP = 'from flask import Flask\napp = Flask("shop")\napp.config["APPLICATION_ROOT"] = "/other"\n'
MOUNTED = '[mounts]\n"/shop" = "shop:app"\n'
CIRCLE = '"/a" = { redirect = "/a" }\n'
CODES = [
    pytest.param(MOUNTED, [], 0, id="a warning"),
    pytest.param(MOUNTED, ["--strict"], 1, id="a warning, and strict"),
    pytest.param(f'ignore = ["MS130"]\n{MOUNTED}', ["--strict"], 0, id="a warning that is ignored"),
    pytest.param(MOUNTED + CIRCLE, [], 1, id="an error"),
    pytest.param(MOUNTED + CIRCLE, ["--only", "/shop"], 0, id="an error at a mount that is left out"),
    pytest.param('[mounts]\n"/a" = { redirect = "/a", ignore = ["MS105"] }', [], 0, id="an error that is ignored"),
    pytest.param('[mounts]\n"/a" = { redirect = "/a", ignore = ["MS999"] }', [], 1, id="an unknown code is ignored"),
    pytest.param(f'{MOUNTED}{CIRCLE}"/gone" = "qqqq:app"', [], 3, id="a mount that cannot be loaded"),
    pytest.param('[mounts]\n"/a" = 1', [], 1, id="a file that is wrong"),
    pytest.param(MOUNTED, ["--format", "html"], 2, id="wrong usage"),
]


@pytest.mark.usefixtures("kept_process")
@pytest.mark.parametrize(("text", "options", "code"), CODES)
def test_the_exit_code_tells_how_bad_it_is(tmp_path, write_config, text, options, code):
    pytest.importorskip("flask")
    (tmp_path / "shop.py").write_text(SHOP)
    result = CliRunner().invoke(main, ["check", "-c", str(write_config(text)), *options])
    assert result.exit_code == code
