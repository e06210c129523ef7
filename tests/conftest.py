"""What every test may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A property is right or wrong, however busy the machine is.
settings.register_profile("multiserve", deadline=None)
settings.load_profile("multiserve")

APPS = Path(__file__).parent / "apps"


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[[str], Path]:
    """Write a multiserve.toml into the test's own folder."""

    def write(text: str) -> Path:
        path = tmp_path / "multiserve.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def clean_process() -> Iterator[None]:
    """Take back what loading applications does to the process: modules, search path and environment."""
    path, modules, environ = list(sys.path), set(sys.modules), dict(os.environ)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    os.environ.clear()
    os.environ.update(environ)


@pytest.fixture(autouse=True)
def _no_multiserve_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MULTISERVE_", "WEB_CONCURRENCY"))]:
        monkeypatch.delenv(name)
