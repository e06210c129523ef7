from __future__ import annotations

import pytest

from multiserve.findings import Finding, Topic

TOPIC = Topic(code="MS999", severity="warning", title="a test", consequence="Usually this.", explanation="All of it.")
PLAIN = {"mounts": ["/a", "/b"], "key": "mounts", "message": "what is so", "cure": "Cure."}
GIVEN = [
    pytest.param({}, ("warning", "Usually this.", ""), id="the topic's own"),
    pytest.param(
        {"severity": "note", "consequence": "This time that.", "url": "http://x/"},
        ("note", "This time that.", "http://x/"),
        id="given",
    ),
]


@pytest.mark.parametrize(("more", "expected"), GIVEN)
def test_severity_and_consequence_are_those_of_the_topic_unless_given(more, expected):
    severity, consequence, url = expected
    assert TOPIC.finding(**PLAIN, **more) == Finding(
        code="MS999",
        severity=severity,
        mounts=("/a", "/b"),
        key="mounts",
        message="what is so",
        consequence=consequence,
        cure="Cure.",
        url=url,
    )
