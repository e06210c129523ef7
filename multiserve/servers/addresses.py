"""The addresses that servers listen on: binding them, with helpful errors, and their URLs."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path

from multiserve.errors import Problem, ServeError
from multiserve.hosts import authority


def bind(host: str, port: int) -> socket.socket:
    """Bind and listen on a TCP address; port 0 takes any free one.

    Raises:
        ServeError: The port is in use, or the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise _cannot_listen(host, port, error.strerror or str(error), "Check the host.") from None
    except ValueError:  # it cannot even be encoded
        raise _cannot_listen(host, port, "no host has such a name", "Check the host.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error.strerror or str(error), _HINTS.get(error.errno or 0, "")) from None
    return listener


_HINTS = {
    errno.EADDRINUSE: "Another program uses the port: stop it, or choose another one with --port or MULTISERVE_PORT.",
    errno.EADDRNOTAVAIL: "This machine has no such address: use 127.0.0.1, or 0.0.0.0 for every network.",
    errno.EACCES: "Ports below 1024 need rights: choose a higher one with --port.",
}


def _cannot_listen(host: str, port: int, reason: str, hint: str) -> ServeError:
    return ServeError(Problem(message=f"cannot listen on {authority(host, port)}: {reason}", hint=hint))


def absolute_socket(address: str, folder: Path) -> str:
    """Make the path of a unix socket absolute, relative to a folder; return any other address unchanged."""
    if not address.startswith("unix:"):
        return address
    return f"unix:{folder / address.removeprefix('unix:').removeprefix('//')}"


def origin(host: str, port: int, scheme: str = "http") -> str:
    """Return the URL of an address for a browser on this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared)
    return f"{scheme}://{authority(reachable, port)}"


_EVERY_NETWORK = {"0.0.0.0": socket.AF_INET, "": socket.AF_INET, "::": socket.AF_INET6}  # noqa: S104 (compared)
# Addresses for documentation, which no machine has (RFC 5737, RFC 3849): they go to the default route.
_SOMEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def origins_for_others(host: str, port: int, scheme: str = "http") -> list[str]:
    """Return the URLs by which other machines reach a server that listens on every network; none for one address."""
    return [f"{scheme}://{authority(address, port)}" for address in addresses_for_others(host)]


def addresses_for_others(host: str) -> list[str]:
    """Return the addresses by which other machines reach this one if a server listens on every network."""
    if host not in _EVERY_NETWORK:
        return []
    families = [socket.AF_INET] if _EVERY_NETWORK[host] == socket.AF_INET else [socket.AF_INET, socket.AF_INET6]
    return list(dict.fromkeys(address for family in families for address in _own_addresses(family)))


def spoken_https(address: object) -> str:
    """Return a message that a client has begun with TLS on a plain port, given the socket's own address."""
    where = f": open {origin(str(address[0]), int(address[1]))}/ instead" if isinstance(address, tuple) else ""
    return f"A client spoke HTTPS to a port that serves HTTP{where}."


TLS_RECORD = b"\x16"
"""The first byte of a client that begins with TLS (RFC 8446, section 5.1); no request begins with it."""


def _own_addresses(family: socket.AddressFamily) -> Iterator[str]:
    """Yield addresses of this machine that are not loopback or link-local; nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((_SOMEWHERE[family], 9))
        yield probe.getsockname()[0]
    with contextlib.suppress(OSError):
        for *_, address in socket.getaddrinfo(socket.gethostname(), None, family, socket.SOCK_DGRAM):
            if not ((parsed := ipaddress.ip_address(str(address[0]))).is_loopback or parsed.is_link_local):
                yield str(address[0])
