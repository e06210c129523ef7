from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.kinds.mount import Entry
from multiserve.config.kinds.redirects import RedirectMount, check_redirect
from multiserve.config.source import Source
from multiserve.config.tables import Table
from multiserve.config.targets import TargetProblem
from multiserve.errors import Problem
from multiserve.keys import parse_key


def test_the_target_and_the_status_are_read(tmp_path: Path) -> None:
    problems: list[Problem] = []
    table = Table({"redirect": "/new", "status": 302}, 'mounts."/old"', problems)
    entry = Entry(
        table=table,
        key=parse_key("/old"),
        source=Source(tmp_path / "multiserve.toml"),
        holder=table,
        name="redirect",
        given="redirect",
    )
    mount = RedirectMount.read_entry(entry)
    assert problems == []
    assert mount is not None
    assert (mount.what, mount.status, mount.key) == ("/new", 302, parse_key("/old"))


@pytest.mark.parametrize("target", ["/", "/new/", "/a:b", "https://example.com", "http://example.com:8000/x"])
def test_paths_and_urls_are_targets(target: str) -> None:
    check_redirect(target)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("new", '"new" is neither a path nor a URL'),
        ("//example.com", '"//example.com" is neither a path nor a URL'),
        ("ftp://example.com", '"ftp://example.com" is neither a path nor a URL'),
        ("/a b", "a redirect has no spaces, backslashes or control characters"),
        ("/a?b", "a redirect keeps the query of the request, and has none of its own"),
        ("/{a}", "a redirect has no placeholders"),
        ("http://me@example.com", "a redirect has no user"),
    ],
)
def test_what_is_no_target_is_refused(target: str, message: str) -> None:
    with pytest.raises(TargetProblem) as caught:
        check_redirect(target)
    assert str(caught.value) == message
    assert caught.value.hint == 'Write "/path" or "https://example.com/path".'
