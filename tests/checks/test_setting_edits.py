from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import look_at, setting_edits
from multiserve.checks.setting_edits import edit_of_setting
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.findings import Edit
from multiserve.frameworks import Facts

TEXT = '[mounts]\n"/" = { redirect = "/x" }\n"/a" = { redirect = "/x" }\n"/b" = { redirect = "/x" }\n'
FIRST, SECOND = (Facts(application=object(), framework=name, version="") for name in ("Flask", "Django"))


@pytest.fixture
def subject(write_config, monkeypatch, kept_process):
    monkeypatch.setattr(setting_edits, "settings_file", lambda facts: f"/{facts.framework}.py")

    def make(*known):
        subject = look_at(compose(load_config(write_config(TEXT))), {})
        members = [replace(each, facts=facts) for each, facts in zip(subject.members, known, strict=True)]
        return replace(subject, members=tuple(members))

    return make


@pytest.mark.parametrize(
    ("known", "new", "edit"),
    [
        pytest.param(
            (FIRST, SECOND, None), 'a"', Edit(key="N", old="o", new='"a\\""', file="/Flask.py"), id="a file of its own"
        ),
        pytest.param((FIRST, FIRST, None), None, Edit(key="N", old="o", file="/Flask.py"), id="mounted twice"),
        pytest.param(
            (SECOND, None, None), "a", Edit(key="N", old="o", new='"a"', file="/Django.py", adds=True), id="Django"
        ),
        pytest.param((FIRST, replace(FIRST, application=object()), None), "a", None, id="a file of two applications"),
        pytest.param((None, FIRST, None), "a", None, id="an unknown application"),
    ],
)
def test_a_setting_is_edited_where_no_other_application_has_its_own(subject, known, new, edit):
    whole = subject(*known)
    assert edit_of_setting(whole, whole.members[0], "N", "o", new) == edit
