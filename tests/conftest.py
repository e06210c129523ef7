"""What every test may use."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
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


@pytest.fixture
def kept_process(clean_process: None) -> Iterator[None]:
    """Take back what else loading can change: the folder, the time zone, loggers, signals, the timeout of sockets."""
    folder, timeout, zone = Path.cwd(), socket.getdefaulttimeout(), os.environ.get("TZ")
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    root, others = logging.root, logging.root.manager.loggerDict
    level, of_root = root.level, list(root.handlers)
    disabled = {name: each.disabled for name, each in others.items() if isinstance(each, logging.Logger)}
    yield
    os.chdir(folder)
    socket.setdefaulttimeout(timeout)
    for number, handler in handlers.items():
        if signal.getsignal(number) != handler:
            signal.signal(number, handler)
    root.setLevel(level)
    root.handlers[:] = of_root
    for name, was in disabled.items():
        logging.getLogger(name).disabled = was
    os.environ.pop("TZ", None)
    os.environ.update({"TZ": zone} if zone is not None else {})
    if hasattr(time, "tzset"):
        time.tzset()


@pytest.fixture(autouse=True)
def _no_multiserve_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MULTISERVE_", "WEB_CONCURRENCY"))]:
        monkeypatch.delenv(name)
