from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from multiserve.cli import main
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.findings import Finding
from multiserve.loading.side_effects import SideEffects
from multiserve.probing import ProbeResult
from multiserve.reports.check import CheckOutcome, as_json, as_text, refusal_as_json

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
    return CheckOutcome(composition, FINDINGS, {**effects, "/": COSTS}, shows_costs=False)


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


def test_text_says_where_a_code_is_documented_if_asked(outcome):
    lines = as_text(outcome._replace(findings=FINDINGS[:1], is_verbose=True)).splitlines()
    assert lines[-2:] == ["        Cure.", "        See docs/checks.md#ms102"]


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
        "excerpt": "",
    }
    mount = {"host": "", "port": None, "kind": "app", "target": "shop:app", "group": ""}
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
                "url": "",
                "documentation": "docs/checks.md#ms102",
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


def test_a_refusal_is_json_as_well():
    assert json.loads(refusal_as_json(ConfigError("there is no file"))) == {
        "ok": False,
        "problems": [{"key": "", "message": "there is no file", "hint": "", "excerpt": ""}],
        "mounts": [],
        "findings": [],
    }


PROBES = [
    ProbeResult(
        mount="/", toml_key='mounts."/"', url="http://x/", status=200, seconds=0.0123, content_type="text/html",
        findings=(FINDINGS[2],),
    ),
    ProbeResult(mount="/bad", toml_key='mounts."/bad"', url="http://x/bad/", error="LookupError: a"),
    ProbeResult(mount="/u/{user}", toml_key='mounts."/u/{user}"', url="http://x/u/{user}/", skipped="nobody knows"),
]  # fmt: skip
SEEN = replace(FINDINGS[2], cure="", url="http://x/")


def test_text_has_a_line_for_each_request_of_a_probe_and_then_the_findings(outcome):
    assert as_text(outcome._replace(findings=[SEEN], probes=PROBES)).split("\n\n")[1:] == [
        (
            "200     12 ms  http://x/           text/html\n"
            "FAILED  0 ms   http://x/bad/\n"
            "-              http://x/u/{user}/  not probed: nobody knows"
        ),
        "warning MS120 /: what is so\n        Then.\n        Seen at http://x/",
    ]
    assert as_text(outcome._replace(findings=[], probes=[])) == as_text(outcome._replace(findings=[]))


def test_json_has_the_requests_of_a_probe_and_all_that_is_wrong_among_the_findings(outcome):
    found = json.loads(as_json(outcome._replace(findings=[SEEN], probes=PROBES)))
    assert found["probes"][0] == {
        "mount": "/",
        "toml_key": 'mounts."/"',
        "url": "http://x/",
        "method": "GET",
        "asked_for": False,
        "status": 200,
        "seconds": 0.0123,
        "content_type": "text/html",
        "error": "",
        "skipped": "",
    }
    assert [each["status"] for each in found["probes"][1:]] == [None, None]
    assert [(each["code"], each["url"]) for each in found["findings"]] == [("MS120", "http://x/")]


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
