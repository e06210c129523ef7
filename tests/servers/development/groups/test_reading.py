"""The configuration as each process reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.source import Source
from multiserve.errors import ConfigError
from multiserve.servers.development.groups.reading import (
    files_of_all,
    read_all,
    read_checked,
    read_group,
)
from multiserve.servers.groups.reading import Reading

FILE = """
[mounts]
"/" = "a:b"
"/old" = { app = "old:app", group = "old" }
"/fleet" = { fleet = "fleet" }
"/static" = { static = "fleet" }
[groups.old]
python = "venv"
"""
VALUES = {"extra_files": (), "only": (), "host": None, "port": None}


@pytest.fixture
def reading(write_config, tmp_path):
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "a.py").write_text("def application(environ, start_response): ...\n")

    def reading(**values):
        return Reading(source=Source(write_config(FILE)), values={**VALUES, **values})

    return reading


@pytest.mark.parametrize(
    ("isolate", "groups"),
    [
        pytest.param(None, ["", "old", "", "", ""], id="as the file says"),
        pytest.param(True, ["/", "old", "/fleet", "/fleet", ""], id="isolated"),
    ],
)
def test_with_isolate_each_mount_that_loads_code_is_in_a_group_of_its_own(reading, isolate, groups):
    config = read_all(reading(isolate=isolate))
    order = ["/", "/old", "/fleet", "/fleet/a", "/static"]
    assert [next(each.group for each in config.mounts if each.name == name) for name in order] == groups


def test_a_group_has_its_own_mounts_and_the_address_of_its_clients(reading):
    config = read_group(reading(isolate=True), "/fleet", "example.test", 80)
    assert [each.name for each in config.mounts] == ["/fleet", "/fleet/a"]
    assert (config.server.host, config.server.port) == ("example.test", 80)


def test_a_group_that_the_file_has_no_more_is_an_error(reading):
    with pytest.raises(ConfigError, match='groups: there is no group "gone" any more'):
        read_group(reading(), "gone", "", 0)


def test_an_interpreter_that_cannot_be_used_is_an_error(reading, tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_checked(reading())
    assert [each.key for each in caught.value.problems] == ["groups.old.python"]
    assert str(caught.value).startswith(f"{tmp_path / 'multiserve.toml'}:\n")
    assert str(tmp_path / "venv") in str(caught.value)


def test_the_files_of_all_are_those_that_the_configuration_is_read_from(reading, tmp_path):
    assert files_of_all(read_all(reading())) == [str(tmp_path / "multiserve.toml"), str(Path(tmp_path, ".env"))]
