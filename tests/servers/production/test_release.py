"""Everything of gunicorn that is leaned on is there, and a release without it ends the start with a sentence."""

from __future__ import annotations

import pytest

pytest.importorskip("gunicorn.arbiter", reason="gunicorn does not run on Windows")

import gunicorn

from multiserve.errors import ServeError
from multiserve.servers.production import release
from multiserve.servers.releases import list_missing


def test_the_installed_release_has_all_that_is_leaned_on():
    assert list_missing(release.USED) == []


def test_a_release_that_lacks_something_ends_the_start_with_a_sentence(monkeypatch):
    monkeypatch.delattr("gunicorn.util.daemonize")
    with pytest.raises(ServeError) as caught:
        release.check_release()
    (problem,) = caught.value.problems
    found = gunicorn.__version__
    assert problem.message == f"the installed gunicorn {found} does not fit: gunicorn.util.daemonize is missing"
    assert problem.hint == "These releases fit: gunicorn>=22"
