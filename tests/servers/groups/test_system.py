"""Whether the system has what groups need."""

from __future__ import annotations

import socket

import pytest

from multiserve.config.file import load_config
from multiserve.config.source import Source
from multiserve.errors import ConfigError
from multiserve.servers.development.groups.reading import read_all
from multiserve.servers.groups.problems import problems_of_groups
from multiserve.servers.groups.reading import Reading
from multiserve.servers.groups.system import problem_of_system

ALONE = '[mounts]\n"/" = "a:app"\n'
GROUP = '[mounts]\n"/" = { app = "a:app", group = "blog" }\n[groups.blog]\n'
ISOLATED = f"{ALONE}[development]\nisolate = true\n"
WHY = (
    "{}: groups need unix sockets, which Python has not on this system\n"
    "    On Windows, run multiserve in WSL or in a container, or leave groups and isolate out."
)


@pytest.fixture
def windows(monkeypatch):
    """Have a Python without unix sockets, as that of Windows is."""
    monkeypatch.delattr(socket, "AF_UNIX")


@pytest.mark.parametrize("text", [ALONE, GROUP, ISOLATED], ids=["none", "a group", "isolate"])
def test_where_there_are_unix_sockets_there_can_be_groups(write_config, text):
    assert problem_of_system(load_config(write_config(text))) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param(ALONE, None, id="none"),
        pytest.param(GROUP, "groups", id="a group"),
        pytest.param(ISOLATED, "development.isolate", id="isolate"),
    ],
)
@pytest.mark.usefixtures("windows")
def test_where_there_are_none_that_is_said_of_what_asks_for_them(write_config, text, key):
    problem = problem_of_system(load_config(write_config(text)))
    assert (problem and str(problem)) == (key and WHY.format(key))


@pytest.mark.usefixtures("windows")
def test_check_and_the_development_server_say_so(write_config):
    path = write_config(GROUP)
    assert [str(each) for each in problems_of_groups(load_config(path))] == [WHY.format("groups")]
    values = {"extra_files": (), "only": (), "host": None, "port": None}
    with pytest.raises(ConfigError) as caught:
        read_all(Reading(source=Source(path), values=values))
    assert [str(each) for each in caught.value.problems] == [WHY.format("groups")]
