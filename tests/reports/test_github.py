from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.findings import Finding
from multiserve.loading.side_effects import SideEffects
from multiserve.reports.check import CheckOutcome
from multiserve.reports.github import as_github, refusal_for_github

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
    effects = {loaded.mount.toml_key: SideEffects() for loaded in composition.mounts}
    return CheckOutcome(composition, FINDINGS, effects, shows_costs=False)


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
        "[mounts]\n/ = 1",
        'line=2,title=multiserve::not TOML: a key with "/" in it is written in quotes%0A'
        '2 | / = 1%0A  | ^%0AWrite "/" = 1.', id="no TOML",
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


def test_a_finding_of_a_probe_has_the_url_that_shows_it(outcome):
    seen = replace(FINDINGS[2], code="MS207", cure="", url="http://localhost:8000/")
    (line,) = as_github(
        outcome._replace(composition=replace(outcome.composition, mounts=()), findings=[seen])
    ).splitlines()
    path = outcome.composition.config.path
    assert line == (f"::warning file={path},line=4,title=MS207 /::what is so%0AThen.%0ASeen at http://localhost:8000/")


def test_an_application_of_a_fleet_is_annotated_in_its_own_file(tmp_path, write_config, kept_process):
    (tmp_path / "shops").mkdir()
    (tmp_path / "shops" / "gone.py").write_text("1 / 0\ndef app(environ, start_response): ...\n")
    composition = compose(load_config(write_config('[mounts]\n"/" = { fleet = "shops" }\n')))
    mount = composition.mounts[1].mount
    findings = [finding("MS120", "warning", ("/gone",), mount.place)]
    lines = as_github(CheckOutcome(composition, findings, {}, shows_costs=False)).splitlines()
    place = f"file={tmp_path}/shops/gone.py,line=1"
    assert [line.partition("::")[2].rpartition("::")[0] for line in lines] == [
        f"error {place},title=cannot be loaded",
        f"warning {place},title=MS120 /gone",
    ]
