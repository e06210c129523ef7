"""What both servers refuse to find in the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.servers.environment import refuse_script_name

WHY = (
    ": a prefix in front of all mounts is what the proxy says that adds it\n"
    "    Unset it, let the proxy send X-Forwarded-Prefix, and set trusted_proxies under [server]."
)
MOUNTS = '[mounts]\n"/" = "site:app"\n'


@pytest.mark.parametrize(
    ("variable", "more", "key"),
    [
        pytest.param("/shop", "", "SCRIPT_NAME", id="the environment"),
        pytest.param("", '[env]\nSCRIPT_NAME = "/shop"\n', "env.SCRIPT_NAME", id="the file"),
    ],
)
def test_a_script_name_of_the_whole_server_is_refused(
    write_config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, variable: str, more: str, key: str
) -> None:
    monkeypatch.setenv("SCRIPT_NAME", variable)
    with pytest.raises(ConfigError) as caught:
        refuse_script_name(load_config(write_config(MOUNTS + more)))
    assert str(caught.value) == f"{key}{WHY}"


def test_without_one_nothing_is_refused(write_config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCRIPT_NAME", raising=False)
    refuse_script_name(load_config(write_config(MOUNTS)))
