"""The assertion fails with all that `check` finds, and only then."""

from __future__ import annotations

import json

import pytest

from multiserve.findings import Finding
from multiserve.testing import assert_no_findings, findings

WEB = """
import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
def raises(environ, start_response):
    raise ValueError("no")
"""


@pytest.fixture
def write(write_config):
    """Write a configuration beside its applications."""

    def write_both(text, more=""):
        path = write_config(text)
        (path.parent / "web.py").write_text(WEB + more)
        return path

    return write_both


def test_nothing_is_found(write):
    assert_no_findings(write('[mounts]\n"/" = "web:app"'), production=True, probe=True)


def message_of(path, **options):
    with pytest.raises(AssertionError) as caught:
        assert_no_findings(path, **options)
    return str(caught.value)


def test_everything_that_is_found_is_in_the_message(write):
    path = write('ignore = ["MS999"]\n[mounts]\n"/" = "web:app"\n"/gone" = "web:gone"')
    assert message_of(path) == (
        f"multiserve check finds something in {path}:\n\n"
        f'error MS301 /gone: "web" has no "gone" ({path.parent / "web.py"})\n'
        "        Requests to this mount are answered with 503.\n"
        '        Did you mean "app"?\n\n'
        'warning MS100 ignore: no check has the code "MS999"\n'
        "        It has no effect.\n"
        '        Remove "MS999" from ignore.'
    )


def test_what_loading_does_to_a_process_is_found_each_time(write, tmp_path):
    path = write('[mounts]\n"/" = "web:app"\n"/blog" = "blog:app"', more="os.chdir('/')")
    (tmp_path / "blog.py").write_text("def app(environ, start_response): ...")
    for _ in range(2):
        assert "MS161" in message_of(path)


def test_what_depends_on_the_machine_is_left_out(tmp_path, monkeypatch):
    shared = {"severity": "note", "mounts": (), "key": "mounts", "message": "m", "consequence": "c", "cure": ""}
    found = [Finding(code=code, **shared) for code in ("MS164", "MS171", "MS151")]
    monkeypatch.setattr(findings, "check", lambda *_, **__: found)
    monkeypatch.setattr(findings.os, "_exit", lambda _: None)
    findings.write_findings("multiserve.toml", str(tmp_path / "result"))
    assert json.loads((tmp_path / "result").read_text()) == ["note MS151 mounts: m\n        c"]


def test_probing_is_an_option(write):
    path = write('[mounts]\n"/" = "web:raises"')
    assert_no_findings(path)
    assert "error MS207 /: ValueError: no" in message_of(path, probe=True)


def test_a_wrong_file_fails_with_its_problems(write):
    path = write('[mounts]\n"/" = 1')
    assert message_of(path) == (
        f"multiserve check finds something in {path}:\n\n"
        f'{path}:\nmounts."/": expected a target, found a whole number\n    Write "module:attribute" in quotes.'
    )


def test_threads_that_an_application_leaves_running_are_not_waited_for(write):
    more = "import threading\nthreading.Thread(target=threading.Event().wait, name='endless').start()\n"
    assert "MS160" in message_of(write('[mounts]\n"/" = "web:app"', more=more))


def test_a_process_that_ends_on_the_way_is_told(write):
    path = write('[mounts]\n"/" = "web:app"', more="print('bye')\nos.write(2, b'gone')\nos._exit(7)")
    assert message_of(path) == "multiserve check ended with exit code 7:\ngone"
