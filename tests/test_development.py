"""The development server's decisions; the server itself runs in tests/end_to_end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.config import load_config
from multiserve.errors import ConfigError
from multiserve.servers.development import use_debugger
from multiserve.servers.reloading import watched_files


@pytest.fixture
def config(write_config):
    return load_config(write_config('[mounts]\n"/" = "a:b"\n'))


@pytest.mark.parametrize(
    ("host", "in_file", "asked", "used"),
    [
        pytest.param("127.0.0.1", None, None, True, id="by default on this machine"),
        pytest.param("localhost", True, None, True, id="the file says yes"),
        pytest.param("127.0.0.1", False, None, False, id="the file says no"),
        pytest.param("127.0.0.1", True, False, False, id="the command line says no"),
        pytest.param("127.0.0.1", False, True, True, id="the command line says yes"),
        pytest.param("0.0.0.0", None, None, False, id="by default where others reach it"),
        pytest.param("0.0.0.0", False, None, False, id="the file says no where others reach it"),
        pytest.param("0.0.0.0", None, True, True, id="asked for by name where others reach it"),
        pytest.param("0.0.0.0", True, True, True, id="the file and the command line say yes"),
        pytest.param("0.0.0.0", True, False, False, id="the command line says no where others reach it"),
    ],
)
def test_the_debugger_is_for_this_machine_unless_asked_for_by_name(config, host, in_file, asked, used):
    config = replace(
        config,
        server=replace(config.server, host=host),
        development=replace(config.development, debugger=in_file),
    )
    assert use_debugger(config, asked=asked) is used


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
def test_the_debugger_of_the_file_is_refused_where_others_reach_it(config, host):
    config = replace(
        config, server=replace(config.server, host=host), development=replace(config.development, debugger=True)
    )
    with pytest.raises(ConfigError) as caught:
        use_debugger(config, asked=None)
    assert str(caught.value) == (
        f"development.debugger: the debugger runs any code for whoever reaches {host}\n"
        "    Say --debugger as well if you mean it, or --no-debugger, or listen on 127.0.0.1."
    )


def test_the_file_and_its_extra_files_are_watched(config, tmp_path):
    for name in ("a.txt", "deep/er/b.txt", "deep/c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    patterns = ("**/*.txt", "deep/c.csv", "later.txt", str(tmp_path / "a.*"))
    config = replace(config, development=replace(config.development, extra_files=patterns))
    names = ["multiserve.toml", "a.txt", "deep/er/b.txt", "deep/c.csv", "later.txt", "a.txt"]
    assert sorted(watched_files(config)) == sorted(str(tmp_path / name) for name in names)
