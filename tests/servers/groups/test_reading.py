"""How a server reads its configuration, and how another process reads the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from multiserve.config.source import Source
from multiserve.errors import ConfigError
from multiserve.servers.groups.reading import Reading

TEXT = """
[mounts]
"/" = "good:app"
"/old" = { app = "old:app", group = "old" }
[groups.old]
env = { WHERE = "there" }
[server]
startup_timeout = 7
"""
VALUES = {"only": (), "host": None, "port": None, "extra_files": (), "strict": True, "log_level": None}


@pytest.fixture
def reading(write_config):
    return Reading(source=Source(write_config(TEXT)), values=VALUES)


def test_what_is_told_to_another_process_reads_the_same(reading):
    told = json.loads(json.dumps(reading.as_json()))
    assert Reading.from_json(told).read() == reading.read()
    assert reading.read().server.strict


def test_targets_of_a_command_line_are_told_as_well(tmp_path):
    reading = Reading(source=Source(tmp_path, ("/shop=good:app",)), values=VALUES)
    told = json.loads(json.dumps(reading.as_json()))
    assert [mount.name for mount in Reading.from_json(told).read().mounts] == ["/shop"]


def test_a_group_is_what_the_options_leave_of_it(reading):
    config = reading.read_group("old")
    assert [mount.name for mount in config.mounts] == ["/old"]
    assert [mount.name for mount in config.elsewhere] == ["/"]
    assert (config.group, config.env["WHERE"], config.server.strict) == ("old", "there", True)


def test_a_group_that_is_no_more_is_an_error(reading):
    with pytest.raises(ConfigError) as caught:
        reading.read_group("new")
    assert str(caught.value) == 'groups: there is no group "new" any more'


def test_extra_files_stay_those_of_this_working_directory(reading, tmp_path, monkeypatch):
    told = replace(reading, values={**VALUES, "extra_files": ("words.txt",)}).as_json()
    here = Path.cwd()
    monkeypatch.chdir(tmp_path)
    assert Reading.from_json(told).read().development.extra_files == (str(here / "words.txt"),)
