from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest

from multiserve.checks import TOPICS
from multiserve.probing import Escape, ProbeResult
from multiserve.probing.results import Kind
from multiserve.reports.probe import probes, probes_as_json

ESCAPE = Escape(
    kind="form", url="/login", page="http://x/admin/", severity="warning", message="it leaves", cure="Keep it."
)
RESULTS = [
    ProbeResult(
        mount="/admin", toml_key='mounts."/admin"', url="http://x/admin/", status=200, seconds=0.0123,
        content_type="text/html", violations=("it did",), escapes=(ESCAPE,),
    ),
    ProbeResult(mount="/bad", toml_key='mounts."/bad"', url="http://x/bad/", error="LookupError: a\nb (x.py:1, in f)"),
    ProbeResult(mount="/u/{user}", toml_key='mounts."/u/{user}"', url="http://x/u/{user}/", skipped="nobody knows"),
]  # fmt: skip

TEXT = """\
200     12 ms  http://x/admin/     text/html
        error MS206: it did
        warning MS202: it leaves
        Keep it.
FAILED  0 ms   http://x/bad/
        error MS207: LookupError: a b (x.py:1, in f)
-              http://x/u/{user}/  not probed: nobody knows"""


def test_each_request_has_a_line_and_below_it_what_is_wrong() -> None:
    assert probes(RESULTS) == TEXT
    assert probes([]) == ""


def test_the_values_for_json_have_every_field() -> None:
    first, *others = json.loads(json.dumps(probes_as_json(RESULTS)))
    assert first == {
        "mount": "/admin",
        "toml_key": 'mounts."/admin"',
        "url": "http://x/admin/",
        "method": "GET",
        "asked_for": False,
        "status": 200,
        "seconds": 0.0123,
        "content_type": "text/html",
        "error": "",
        "skipped": "",
        "violations": ["it did"],
        "escapes": [
            {
                "kind": "form",
                "url": "/login",
                "page": "http://x/admin/",
                "severity": "warning",
                "message": "it leaves",
                "cure": "Keep it.",
            }
        ],
        "ignored": [],
        "remarks": [
            {"code": "MS206", "severity": "error", "message": "it did", "cure": ""},
            {"code": "MS202", "severity": "warning", "message": "it leaves", "cure": "Keep it."},
        ],
    }
    assert [each["status"] for each in others] == [None, None]


def test_a_result_is_broken_by_what_the_application_does_and_not_by_what_it_refuses() -> None:
    assert [result.is_broken for result in RESULTS] == [True, True, False]
    plain = {"mount": "/", "toml_key": "", "url": "http://x/"}
    assert [ProbeResult(**plain, status=status).is_broken for status in (200, 404, 500)] == [False, False, True]


PLAIN = ProbeResult(mount="/", toml_key="", url="http://x/")
CORRECT = "Correct the path in `probe`, or what answers it."
REMARKS = [
    pytest.param(replace(PLAIN, status=200, asked_for=True), [], id="right"),
    pytest.param(replace(PLAIN, status=404), [], id="a root that is none"),
    pytest.param(
        replace(PLAIN, status=404, asked_for=True),
        [("MS208", "warning", "it is asked for by `probe`, and answers 404", CORRECT)],
        id="a path that was named",
    ),
    pytest.param(
        replace(PLAIN, status=503, asked_for=True), [("MS207", "error", "it answers 503", "")], id="a path that fails"
    ),
    pytest.param(replace(PLAIN, error="a\n b", status=500), [("MS207", "error", "a b", "")], id="what was raised"),
    pytest.param(replace(RESULTS[0], ignored=("MS206", "MS202")), [], id="all that is ignored"),
    pytest.param(
        replace(RESULTS[0], ignored=("MS206", "MS102")),
        [("MS202", "warning", "it leaves", "Keep it.")],
        id="some of it",
    ),
    pytest.param(replace(RESULTS[1], ignored=("MS207",)), [], id="a failure that is ignored"),
]


@pytest.mark.parametrize(("result", "expected"), REMARKS)
def test_what_is_wrong_has_a_code_by_which_it_is_ignored(result, expected) -> None:
    assert result.remarks == expected
    assert result.is_broken == any(severity == "error" for _, severity, _, _ in expected)


def test_all_that_probing_finds_is_explained() -> None:
    codes = {replace(ESCAPE, kind=kind).code for kind in get_args(Kind)}
    remarks = [remark for case in REMARKS for remark in case.values[0].remarks]
    remarks += replace(PLAIN, violations=("it did",)).remarks
    codes |= {remark.code for remark in remarks}
    assert sorted(codes) == [code for code in TOPICS if code.startswith("MS2")]
