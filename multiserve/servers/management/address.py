"""Binds the address of the management listener."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

from multiserve.config.manage_address import UNIX, split_host_and_port
from multiserve.errors import Problem, ServeError
from multiserve.servers.addresses import bind

_PATIENCE = 1.0  # seconds for a server at a unix socket to answer
_OWNER_ALONE = 0o177  # the umask


def bind_manage_address(address: str) -> socket.socket:
    """Bind and listen on an address that has been checked; only the owner may connect to a unix socket.

    Raises:
        ServeError: It is in use, or cannot be bound.
    """
    if not address.startswith(UNIX):
        try:
            return bind(*split_host_and_port(address))
        except ServeError as error:
            hint = "It is the address of manage, under [server]: choose another one."
            raise ServeError(Problem(message=f"{error.problems[0].message} (manage)", hint=hint)) from None
    path = Path(address.removeprefix(UNIX))
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(_OWNER_ALONE)
    try:
        _remove_stale(path)
        listener.bind(str(path))
        listener.listen()
    except OSError as error:
        listener.close()
        message = f"cannot listen on {address} (manage): {error.strerror or error}"
        raise ServeError(Problem(message=message)) from None
    finally:
        os.umask(before)
    return listener


def _remove_stale(path: Path) -> None:
    """Remove the socket of a server that has ended.

    Raises:
        OSError: Something else is there, or a server that answers.
    """
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_PATIENCE)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError("another server listens there")


def remove_stale_socket(address: str) -> None:
    """Remove the file of a unix socket, unless a server answers there."""
    if address.startswith(UNIX):
        with contextlib.suppress(OSError):
            _remove_stale(Path(address.removeprefix(UNIX)))


def remove_socket(address: str) -> None:
    """Remove the file of a unix socket."""
    if address.startswith(UNIX):
        Path(address.removeprefix(UNIX)).unlink(missing_ok=True)
