from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve.config.file import load_config
from multiserve.config.kinds.proxied import ProxiedMount, ProxiedPlaceholderMount
from multiserve.errors import ConfigError
from multiserve.upstreams import Upstream


def test_the_target_and_the_options_are_read(write_config: Callable[[str], Path]) -> None:
    path = write_config(
        '[mounts]\n"/app" = { proxy = "http://localhost:5173", timeout = 5, strip = true, host = "target", '
        "required = true, max_concurrency = 10 }\n"
    )
    [mount] = load_config(path).mounts
    assert isinstance(mount, ProxiedMount)
    assert mount.upstream == Upstream(host="localhost", port="5173")
    assert (mount.timeout, mount.strip, mount.host, mount.required, mount.max_concurrency) == (
        5, True, "target", True, 10,
    )  # fmt: skip


def test_sockets_are_beside_the_file(write_config: Callable[[str], Path]) -> None:
    path = write_config('[mounts]\n"/app" = { proxy = "unix:run/a.sock" }\n')
    [mount] = load_config(path).mounts
    assert isinstance(mount, ProxiedMount)
    assert mount.upstream.socket == str(path.parent / "run" / "a.sock")


def test_a_key_with_placeholders_leads_to_many_servers(write_config: Callable[[str], Path]) -> None:
    [mount] = load_config(write_config('[mounts]\n"{app}.test/{n}" = { proxy = "http://{app}:80" }\n')).mounts
    assert isinstance(mount, ProxiedPlaceholderMount)
    assert (mount.key.placeholders, mount.upstream.names) == (("app", "n"), ("app",))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(
            'proxy = "localhost:5173"',
            'mounts."/app".proxy: "localhost:5173" has no scheme\n    Write "http://localhost:5173".',
            id="no scheme",
        ),
        pytest.param(
            'proxy = "http://localhost:{port}"',
            'mounts."/app".proxy: the key has no {port}\n'
            '    Write it in the key as well, such as "/{port}", or write the value here.',
            id="a placeholder that the key has not",
        ),
        pytest.param(
            'proxy = "http://localhost:5173/app"',
            'mounts."/app".proxy: the path "/app" would stand in front of the prefix\n'
            "    Write strip = true, which puts this path in the place of the prefix, or leave the path out.",
            id="a path that would be there twice",
        ),
        pytest.param(
            "proxy = 5173",
            'mounts."/app".proxy: expected a text, found a whole number\n    Put the value in quotes.',
            id="a number",
        ),
        pytest.param(
            'proxy = "http://a", timeout = 0',
            'mounts."/app".timeout: 0 is out of range\n    Write a number from 1 to 86400.',
            id="no time at all",
        ),
        pytest.param(
            'proxy = "http://a", host = "drop"',
            'mounts."/app".host: "drop" is not one of the choices\n    Known here: keep, target.',
            id="a host that is none of the choices",
        ),
        pytest.param(
            'proxy = "http://a", redirect = "/b"',
            'mounts."/app": a mount cannot be both redirect and proxy\n    Keep one of them.',
            id="two kinds",
        ),
        pytest.param(
            'upstream = "http://a"',
            'mounts."/app".upstream: no such key\n    Did you mean "proxy"?',
            id="another word",
        ),
    ],
)
def test_mistakes_are_named(write_config: Callable[[str], Path], options: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(f'[mounts]\n"/app" = {{ {options} }}\n'))
    assert str(caught.value.problems[-1]) == problem
