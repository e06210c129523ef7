"""The limit of descriptors is raised at the start, or the settings are lowered to it and the log says so."""

from __future__ import annotations

import logging

import pytest

from multiserve.servers.engine.descriptors import fit_descriptors
from multiserve.servers.engine.settings import EngineSettings

resource = pytest.importorskip("resource", reason="Windows has no such limit")

SETTINGS = EngineSettings(max_connections=1000, max_websockets=1000)


@pytest.fixture
def limit(monkeypatch):
    """Set the limits, and give the list of what they were raised to."""
    raised = []

    def limit(soft, hard):
        monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
        monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
        return raised

    return limit


CASES = [
    pytest.param(65536, 65536, [], (1000, 1000), id="enough"),
    pytest.param(resource.RLIM_INFINITY, resource.RLIM_INFINITY, [], (1000, 1000), id="no limit"),
    pytest.param(1024, 65536, [(2128, 65536)], (1000, 1000), id="raised"),
    pytest.param(1024, resource.RLIM_INFINITY, [(2128, resource.RLIM_INFINITY)], (1000, 1000), id="raised freely"),
    pytest.param(256, 1128, [(1128, 1128)], (500, 500), id="raised as far as it may"),
    pytest.param(64, 64, [(64, 64)], (16, 16), id="hardly any"),
]


@pytest.mark.parametrize(("soft", "hard", "raised", "fitting"), CASES)
def test_settings_fit_the_limit(limit, caplog, soft, hard, raised, fitting):
    were = limit(soft, hard)
    settings = fit_descriptors(SETTINGS, logging.getLogger("fits"))
    assert were == raised
    assert (settings.max_connections, settings.max_websockets) == fitting
    assert len(caplog.records) == (fitting != (1000, 1000))


def test_what_the_system_allows_is_in_the_log(limit, caplog):
    limit(256, 1128)
    fit_descriptors(SETTINGS, logging.getLogger("fits"))
    (message,) = caplog.messages
    assert message == (
        "The system allows 1128 file descriptors, but 1000 connections and 1000 WebSockets need 2128: serving 500 and "
        "500. Raise the limit (ulimit -n, or LimitNOFILE= of systemd), or lower worker_connections and max_websockets."
    )
