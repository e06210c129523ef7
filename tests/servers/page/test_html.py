import re

import pytest

from multiserve.servers.page.html import POLICY, render
from multiserve.servers.page.overview import describe_mount, overview
from multiserve.servers.page.samples import Samples

EVIL = "<script>alert(1)</script>\"'"
STATUS = {"since": 0.0, "workers": [{"pid": 1}], "groups": []}


def shown(*, is_owner=True, **mount):
    known = {"mount": "/", "target": "shop:app", "group": "", "state": "ok", "reason": "", **mount}
    described = describe_mount(known, "", Samples(), is_owner=is_owner)
    return overview(STATUS, [described], "serving", is_owner=is_owner)


def test_whatever_comes_from_elsewhere_is_escaped():
    page = shown(mount=EVIL, target=EVIL, group=EVIL, state="failed", reason=EVIL)
    page["groups"] = [{"name": EVIL, "state": "down", "process": None, "last_failure": EVIL}]
    page["last_reload"] = {"time": 0.0, "refused": True, "reason": EVIL}
    page["message"] = EVIL
    raised = {"time": 0.0, "pid": 1, "mount": EVIL, "group": EVIL, "message": EVIL, "text": EVIL}
    page["tracebacks"] = [raised]
    finding = dict.fromkeys(["code", "severity", "key", "message", "cure"], EVIL)
    page["findings"] = {"message": EVIL, "findings": [finding]}
    text = render(page, "secret")
    assert text.count("<script>") == 1
    assert "alert(1)</script>" not in text
    # each attribute still ends where it should
    assert re.findall(r"<tr data-mount=\"([^\"]*)\">", text) == [
        "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;",
    ]


@pytest.mark.parametrize(
    ("token", "is_owner", "forms"),
    [
        pytest.param("secret", True, ["act", "act", "act"], id="the owner"),
        pytest.param("", True, [], id="the owner of a server that cannot be asked"),
        pytest.param("", False, ["login"], id="anybody else"),
    ],
)
def test_only_the_owner_has_buttons(token, is_owner, forms):
    text = render(shown(is_owner=is_owner), token)
    assert re.findall(r'<form[^>]* action="(\w+)"', text) == forms
    assert text.count('name="token" value="secret"') == forms.count("act")


@pytest.mark.parametrize(("state", "next_state"), [("ok", "on"), ("failed", "on"), ("maintenance", "off")])
def test_the_button_of_a_mount_changes_its_state(state, next_state):
    assert f'name="state" value="{next_state}"' in render(shown(state=state), "secret")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "<td>-<br>"), (0.005, "<td>≤ 5 ms<br>"), (2.5, "<td>≤ 2.5 s<br>"), (-1, "<td>over 10 s<br>")],
)
def test_durations(seconds, text):
    page = shown()
    page["mounts"][0]["traffic"]["median"] = seconds
    page["mounts"][0]["traffic"]["p99"] = 0.1
    assert text in render(page)


def test_the_page_loads_nothing_but_itself():
    text = render(shown(), "secret")
    assert not re.search(r"<(link|img|iframe)|src=|style=| on\w+=", text)
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
