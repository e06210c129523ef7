"""The address of the management listener, as `[server] manage` and --manage have it."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from multiserve.hosts import HIGHEST_PORT

UNIX = "unix:"
_LONGEST_PATH = 100  # bytes that every system has room for in the address of a socket
_HOST_AND_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")


def read_manage_address(text: str, folder: Path) -> str:
    """Return an address with the path of a unix socket made absolute.

    Args:
        text: HOST:PORT, or unix:PATH.
        folder: What the path is relative to.

    Raises:
        ValueError: It is no such address; the text of the error says why.
    """
    if text.startswith(UNIX):
        path = folder / text.removeprefix(UNIX)
        if text == UNIX:
            raise ValueError("the path is missing")
        if len(bytes(path)) > _LONGEST_PATH:
            raise ValueError(f"the path is longer than {_LONGEST_PATH} bytes: {path}")
        return f"{UNIX}{path}"
    split_host_and_port(text)
    return text


def split_host_and_port(text: str) -> tuple[str, int]:
    """Return the host, without brackets, and the port of an address.

    Raises:
        ValueError: It is not HOST:PORT.
    """
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None or int(match[3]) > HIGHEST_PORT:
        raise ValueError(f'"{text}" is not an address')
    if match[1] is not None:
        ipaddress.IPv6Address(match[1])
    return match[1] or match[2], int(match[3])
