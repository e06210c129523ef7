"""Everything of uvicorn that the engine leans on is there, and a release without it ends the start with a sentence."""

from __future__ import annotations

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from multiserve.errors import ServeError
from multiserve.servers.engine import release
from multiserve.servers.releases import list_missing


def test_the_installed_releases_have_all_that_is_leaned_on():
    assert list_missing(release.USED) == []


def test_a_release_that_lacks_something_ends_the_start_with_a_sentence(monkeypatch):
    monkeypatch.delattr(HttpToolsProtocol, "on_headers_complete")
    monkeypatch.setitem(release.USED, ("uvicorn.gone", "Gone"), ())
    with pytest.raises(ServeError) as caught:
        release.check_release()
    (problem,) = caught.value.problems
    assert problem.message.startswith("the installed uvicorn ")
    assert problem.message.endswith(
        " do not fit: uvicorn.protocols.http.httptools_impl.HttpToolsProtocol.on_headers_complete, "
        "uvicorn.gone.Gone is missing"
    )
    assert problem.hint == "These releases fit: uvicorn>=0.35, httptools>=0.6.3, websockets>=15"
