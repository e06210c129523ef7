"""`multiserve schema`, and the JSON of every command against the schema that it prints."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft7Validator

from multiserve.cli.schema import _OUTPUTS
from multiserve.config.schema import make_schema
from multiserve.reports.schemas import NAMES, output_schema

FLASK = """\
from flask import Flask

app = Flask(__name__)
app.secret_key = "x"

@app.get("/admin/login")
def login():
    return "<a href='/gone'>"

@app.get("/boom")
def boom():
    raise ValueError
"""
ASGI = """\
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
"""
WHOLE = """\
[mounts]
"/" = { app = "schema_shop:app", probe = ["/boom"] }
"/admin" = "schema_shop:app"
"/live" = "schema_live.py:app"
"/static" = { static = "files" }
"/a.txt" = { file = "files/a.txt" }
"/old" = { redirect = "/admin" }
"/fleet" = { fleet = "schema_fleet" }
"api.test:81/x" = "schema_live.py:app"
"{tenant}.test" = "schema_shop:make"
"/broken" = "schema_broken:app"
"/gone" = "nothing_of_this_name:app"
[env]
SECRET = "x"
[development]
exclude_patterns = ["*.x"]
[gunicorn]
workers = 2
"""
COMPOSITIONS = {
    "everything": WHOLE,
    "one mount": '[mounts]\n"/" = "schema_live.py:app"\n',
    "nothing that can be loaded": '[mounts]\n"/" = "schema_broken:app"\n',
    "a wrong file": '[mounts]\n"admin" = "a:b"\n"/x" = 1\n[server]\nport = "x"\n',
    "no TOML": '[mounts]\n"/" = a:b\n',
}
CHECKS = [(), ("--probe",), ("--production", "--strict", "--costs")]
URLS = ["/admin/login", "/boom", "/live/x", "/static/a.txt", "/a.txt", "/old", "/fleet/", "/fleet/sales/", "/broken/"]
URLS += ["http://api.test:81/x", "http://shop.test/", "/gone/", "/none"]


@pytest.fixture
def site(tmp_path, write_config, kept_process):
    files = {
        "schema_shop.py": f"{FLASK}\ndef make(tenant):\n    return app\n",
        "schema_live.py": ASGI,
        "schema_broken.py": "import os\nos.environ['MISSING']\n",
        "schema_fleet/sales.py": FLASK,
        "schema_fleet/broken.py": f"1 / 0\n{FLASK}",
        "files/a.txt": "a",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return write_config


@pytest.fixture
def validate(run):
    """Run a command, and hold what it prints against a schema, as `multiserve schema` prints it."""

    def validate(name, *args):
        validator = Draft7Validator(json.loads(run("schema", name)[1]))
        code, out, _ = run(*args, "--format", "json")
        found = json.loads(out)
        assert [error.message for error in validator.iter_errors(found)] == []
        return code, found

    return validate


def test_schema_prints_the_schema_of_the_file(run):
    code, out, err = run("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == make_schema() == json.loads(run("schema", "file")[1])


@pytest.mark.parametrize("name", NAMES)
def test_schema_prints_the_schema_of_an_output(run, name):
    code, out, err = run("schema", name)
    assert (code, err) == (0, "")
    assert json.loads(out) == output_schema(name)


def test_every_output_is_a_choice():
    assert _OUTPUTS == NAMES


@pytest.mark.parametrize("options", CHECKS, ids=" ".join)
@pytest.mark.parametrize("text", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_check_prints_what_its_schema_says(validate, site, text, options):
    site(text)
    code, found = validate("check", "check", *options)
    assert found["ok"] is (code == 0)
    if text is WHOLE:
        assert {each["ok"] for each in found["mounts"]} == {True, False}
        assert found["findings"]
        assert ("probes" in found) is ("--probe" in options)


@pytest.mark.parametrize("text", list(COMPOSITIONS.values())[:3], ids=list(COMPOSITIONS)[:3])
@pytest.mark.parametrize(("name", "options"), [("routes", ()), ("routes-all", ("--all",))], ids=["mounts", "all"])
def test_routes_prints_what_its_schema_says(validate, site, text, name, options):
    site(text)
    code, found = validate(name, "routes", *options)
    assert code == 0
    assert found["mounts"]
    if text is WHOLE and options:
        assert any(each["routes"] for each in found["mounts"])


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("options", [(), ("--all",), ("--all", "--method", "POST")], ids=["plain", "all", "a method"])
def test_explain_prints_what_its_schema_says(validate, site, url, options):
    site(WHOLE)
    code, found = validate("explain", "routes", "--explain", url, *options)
    assert code == 0
    assert ("inside" in found) is (bool(options) and found["mount"] is not None)


@pytest.mark.parametrize("options", [(), ("--port", "1", "--workers", "2"), ("--no-reload",)], ids=" ".join)
@pytest.mark.parametrize("text", list(COMPOSITIONS.values())[:3], ids=list(COMPOSITIONS)[:3])
def test_config_prints_what_its_schema_says(validate, site, text, options):
    site(text)
    assert validate("config", "config", *options)[0] == 0


def test_targets_of_a_command_line_print_the_same(validate, site):
    for name, command in (("check", "check"), ("routes", "routes"), ("config", "config")):
        assert validate(name, command, "/=schema_live.py:app", "/fleet=schema_fleet/")[1]
