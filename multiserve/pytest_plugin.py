"""The pytest plugin: fixtures with a client for a composition, and with the assertion that `check` finds nothing.

pytest imports this module into every test run in an environment that has multiserve, so it imports nothing else of it
before a fixture is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from multiserve.testing import Client

_INI = "multiserve_config"
_MARKER = "multiserve"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that names the file."""
    parser.addini(_INI, "The multiserve.toml of the fixtures, relative to the root folder.", default="multiserve.toml")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that names another file for one test."""
    config.addinivalue_line("markers", f"{_MARKER}(file): the multiserve.toml that the fixtures of this test use.")


@pytest.fixture(scope="session")
def _multiserve_clients() -> Iterator[Callable[[Path], Client]]:
    """Return what gives the client of a file: each is entered once, and left at the end of the session."""
    clients: dict[Path, Client] = {}
    with contextlib.ExitStack() as stack:

        def client_of(path: Path) -> Client:
            if path not in clients:
                from multiserve.testing import Client

                clients[path] = stack.enter_context(Client(path))
            return clients[path]

        yield client_of


@pytest.fixture
def multiserve_config(request: pytest.FixtureRequest) -> Path:
    """Return the path of the file: that of the marker, or else that of the setting `multiserve_config`."""
    marker = request.node.get_closest_marker(_MARKER)
    name = marker.args[0] if marker else request.config.getini(_INI)
    path: Path = request.config.rootpath / name
    if not path.is_file():
        hint = f"Name the file by {_INI} in the settings of pytest, or with @pytest.mark.{_MARKER}(...)."
        pytest.fail(f"there is no file {path}\n{hint}", pytrace=False)
    return path


@pytest.fixture
def multiserve_client(multiserve_config: Path, _multiserve_clients: Callable[[Path], Client]) -> Client:
    """Return a client of the composed application, without cookies; the applications start once in a session."""
    from multiserve import MultiserveError

    try:
        client = _multiserve_clients(multiserve_config)
    except MultiserveError as error:
        pytest.fail(str(error), pytrace=False)
    client.cookies.clear()
    return client


@pytest.fixture
def multiserve_check(multiserve_config: Path) -> Callable[..., None]:
    """Return a function that asserts that `check` finds nothing; `production` and `probe` are its options."""

    def check(*, production: bool = False, probe: bool = False) -> None:
        from multiserve.testing import assert_no_findings

        __tracebackhide__ = True
        assert_no_findings(multiserve_config, production=production, probe=probe)

    return check
