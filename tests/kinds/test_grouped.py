"""A mount of a group, in the process in front of it."""

from __future__ import annotations

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.config.processes import for_front
from multiserve.mounts.grouped.proxy import GroupProxy

TEXT = """
[mounts]
"/" = { redirect = "/old" }
"/old" = { app = "not_even_there:app", group = "old", required = true }
"/u/{user}/x" = { app = "not_even_there:make", group = "old" }
[groups.old]
"""


@pytest.fixture
def front(write_config):
    return for_front(load_config(write_config(TEXT)), {"old": "/run/1.sock"})


def test_its_application_is_not_loaded_and_its_requests_go_to_the_socket(front):
    composition = compose(front)
    assert (composition.interface, composition.failures) == ("asgi", ())
    old = composition.application.router.mounts["/old"]
    assert isinstance(old.http, GroupProxy)
    assert old.websocket is old.http
    assert (old.http.upstream.socket, old.http.group) == ("/run/1.sock", "old")
    assert old.lifespan.mounts == ["/old"]


def test_it_cannot_be_in_a_composition_that_has_to_be_wsgi(front):
    (failure, _) = compose(front, interface="wsgi").failures
    assert failure.mount.name == "/old"
    assert 'mounts."/old"' in str(failure.error)
