"""Hosts and ports as URLs and Host headers spell them."""

from __future__ import annotations

import ipaddress
import re

HIGHEST_PORT = 65535
LONGEST_HOST = 253  # characters of a name (RFC 1035)

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}  # by scheme


def normalise_host(header: str, scheme: str = "http") -> tuple[str, int] | None:
    """Normalise the Host header of a request (RFC 9110, section 7.2): host and port, or None if it is malformed."""
    match = _HOST_HEADER.fullmatch(header)
    if match is None:
        return None
    name, address, digits = match.groups()
    port = int(digits) if digits else DEFAULT_PORTS.get(scheme, 0)
    if port > HIGHEST_PORT:
        return None
    if name:
        return name.lower(), port
    try:
        return f"[{ipaddress.IPv6Address(address).compressed}]", port
    except ValueError:
        return None


_HOST_HEADER = re.compile(
    r"(?:([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,126})\.?|\[([0-9A-Fa-f:.]{2,45})\])(?::([0-9]{0,5}))?"
)


def authority(host: str, port: int) -> str:
    """Write host and port as a URL does."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
