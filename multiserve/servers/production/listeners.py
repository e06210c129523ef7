"""gunicorn's listening sockets: checked before the start, and taken over or made anew for a reload."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from gunicorn import sock
from gunicorn.config import Config as GunicornConfig  # noqa: TC002 (as in gunicorn.py)

from multiserve.errors import Problem, ServeError
from multiserve.servers.addresses import bind

_PATIENCE = 1.0  # seconds for a server at a unix socket to answer


def check_addresses(settings: GunicornConfig, ours: Collection[Any] = ()) -> None:
    """Raise `ServeError` for an address that cannot be bound; gunicorn would try for five seconds, and exit.

    Args:
        settings: Settings with the addresses.
        ours: Addresses that are bound already, by ourselves.
    """
    inherited = "GUNICORN_FD" in os.environ or "LISTEN_FDS" in os.environ
    if inherited or settings.reuse_port:
        return
    for address in settings.address:
        if address in ours:
            continue
        if isinstance(address, tuple):
            bind(*address).close()
        elif isinstance(address, str):
            _check_socket(Path(address))


def _check_socket(path: Path) -> None:
    """Raise `ServeError` for what gunicorn would stumble over, and for a socket in use, which it would replace."""
    if os.path.exists(path) and not path.is_socket():  # noqa: PTH110 (Path.exists raises where a name is too long)
        raise ServeError(Problem(message=f"cannot listen on unix:{path}: something else is there"))
    if _is_answered(path):
        raise ServeError(Problem(message=f"cannot listen on unix:{path}: another server listens there"))


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_PATIENCE)
        try:
            client.connect(str(path))
        except (BlockingIOError, TimeoutError):  # there are more clients than it can take
            return True
        except (OSError, ValueError):  # nobody, or no such path
            return False
        return True


def take_over(settings: GunicornConfig, before: GunicornConfig, listeners: Sequence[Any], log: Any) -> list[Any]:
    """Return the listeners for new settings: those that there are, as far as the addresses stay the same.

    Args:
        settings: The new settings.
        before: The settings for which the listeners were made.
        listeners: The listeners that there are; they stay open.
        log: gunicorn's logger.

    Raises:
        ServeError: An address cannot be bound; nothing new is left open.
    """
    if settings.reuse_port:  # each worker listens for itself
        return []
    if settings.address == before.address and not before.reuse_port:
        return list(listeners)  # also what was inherited, such as from systemd
    ours = {_address_of(listener): listener for listener in listeners}
    check_addresses(settings, ours)
    taken: list[Any] = []
    try:
        for address in settings.address:
            taken.append(ours[address] if address in ours else _listen(address, settings, log))
    except (OSError, ValueError) as error:
        close(taken, listeners)
        raise ServeError(Problem(message=f"cannot listen on {address}: {error}")) from error
    return taken


def _address_of(listener: Any) -> Any:
    """Return the address of the settings for which a listener was made; gunicorn before 27 has only what is bound."""
    return getattr(listener, "cfg_addr", None) or listener.getsockname()


def _listen(address: Any, settings: GunicornConfig, log: Any) -> Any:
    if isinstance(address, int):
        raise ValueError("a file descriptor can only be given at the start")  # noqa: TRY004 (of all addresses)
    return sock._sock_type(address)(address, settings, log)  # noqa: SLF001 (create_sockets would exit if it cannot)


def close(listeners: Sequence[Any], kept: Sequence[Any]) -> None:
    """Close listeners, and remove the files of unix sockets, except for those that are kept."""
    for listener in listeners:
        if listener not in kept:
            with contextlib.suppress(OSError):  # somebody else has removed the file
                sock.close_sockets([listener])
