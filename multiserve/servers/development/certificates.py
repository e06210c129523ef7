"""The certificate of the development server: for which hosts, who signs it, and the private folders that keep both."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from multiserve.config.model import Config
from multiserve.errors import Problem, ServeError
from multiserve.servers.addresses import addresses_for_others
from multiserve.servers.development import mkcert

if TYPE_CHECKING:
    from multiserve.servers.development.own_authority import Authority

T = TypeVar("T")

INSTALL = 'pip install "multiserve[https]"'
_VALID = 90  # days
_RENEWED = 60 * 86400  # seconds after which a certificate is made anew
_WILDCARD = re.compile(r"(?:\{\w+\}|\*)(\.[^.{}]+\.[^{}]+)")  # no browser takes *.localhost or *.com


class Certificate(NamedTuple):
    """What a server proves its name with.

    Attributes:
        path: The file with its key and the certificate.
        advice: How users make their browser trust it.
    """

    path: Path
    advice: str


def find_certificate(config: Config) -> Certificate:
    """Return a certificate for the hosts of a configuration, a new one if there is none that is right.

    Raises:
        ServeError: There is nothing to make it with, or no place to keep it.
    """
    hosts = hosts_of(config)
    program = mkcert.find_mkcert()
    if not program and importlib.util.find_spec("cryptography") is None:
        message = "HTTPS needs a certificate, and there is nothing to make one with"
        raise ServeError(Problem(message=message, hint=f"Install mkcert, or type {INSTALL}."))
    with _kept_in(cache_folder(), "the certificate", "XDG_CACHE_HOME") as folder:
        return _of_mkcert(program, folder, hosts) if program else _of_own_authority(folder, hosts)


def hosts_of(config: Config) -> tuple[str, ...]:
    """Return the names and addresses under which browsers reach the server; one label may be `*`."""
    hosts = ["localhost", "127.0.0.1", "::1", *addresses_for_others(config.server.host)]
    if config.server.host not in ("", "0.0.0.0", "::"):  # noqa: S104 (compared)
        with contextlib.suppress(UnicodeError):  # it is no name: nothing can listen on it either
            hosts.append(config.server.host.encode("idna").decode())
    hosts += filter(None, (_name_for(mount.key.host) for mount in config.mounts))
    return tuple(dict.fromkeys(hosts))


def _name_for(host: str) -> str:
    """Return what a certificate has for the host of a key; empty if there is nothing."""
    if found := _WILDCARD.fullmatch(host):
        return f"*{found[1]}"
    return "" if set("{}*") & set(host) else host.strip("[]")


def cache_folder() -> Path:
    """Return the folder for certificates, which is the user's own (XDG Base Directory Specification)."""
    return _folder("XDG_CACHE_HOME", "~/.cache")


def data_folder() -> Path:
    """Return the folder for the authority, which browsers trust longer than a cache is kept."""
    return _folder("XDG_DATA_HOME", "~/.local/share")


def _folder(variable: str, otherwise: str) -> Path:
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):  # noqa: PTH117 (a text, which may be empty)
        base = os.environ.get("LOCALAPPDATA", "") if os.name == "nt" else ""
    return (Path(base) if base else Path(os.path.expanduser(otherwise))) / "multiserve" / "https"  # noqa: PTH111


@contextlib.contextmanager
def _kept_in(folder: Path, what: str, variable: str) -> Iterator[Path]:
    """Make a private folder, and describe what goes wrong in it."""
    try:
        _make_private(folder)
        yield folder
    except OSError as error:
        message = f"{what} for HTTPS cannot be kept in {folder}: {error.strerror or error}"
        hint = f"Set {variable} to a folder that is yours alone."
        raise ServeError(Problem(message=message, hint=hint)) from None


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # fails for the folder of another user, who could replace what is in it


def _of_mkcert(program: str, folder: Path, hosts: tuple[str, ...]) -> Certificate:
    path = _place(folder, hosts, mkcert.root_certificate(program))
    if not _is_fresh(path):
        made = folder / f"{os.getpid()}.new"
        mkcert.issue(program, hosts, made)
        made.chmod(0o600)
        path = _place(folder, hosts, mkcert.root_certificate(program))  # its authority may be new, too
        made.replace(path)
    return Certificate(path, 'The certificate is from mkcert; if the browser warns of it, type "mkcert -install" once.')


def _of_own_authority(folder: Path, hosts: tuple[str, ...]) -> Certificate:
    with _kept_in(data_folder(), "the authority", "XDG_DATA_HOME") as kept:
        signer, public = _authority(kept), kept / "ca.pem"
        _write(public, signer.public_pem())
    path = _place(folder, hosts, signer.public_pem())
    if not _is_fresh(path):
        _write(path, signer.issue(hosts, _VALID))
    advice = f"The browser trusts the certificate once you import {public} into it, as an authority for websites."
    return Certificate(path, advice)


def _authority(folder: Path) -> Authority:
    """Return the authority that is kept in a folder, a new one if there is none that is valid for long enough."""
    from multiserve.servers.development.own_authority import Authority

    kept = folder / "authority.pem"
    signer: Authority | None = None
    with contextlib.suppress(FileNotFoundError):
        signer = _read(kept, Authority.read)
    if signer is None or not signer.is_valid_for(_VALID):
        signer = Authority.make()
        _write(kept, signer.pem())
    return signer


def _read(path: Path, read: Callable[[bytes], T]) -> T:
    try:
        return read(path.read_bytes())
    except (ValueError, TypeError) as error:  # TypeError: it has a passphrase
        message = f"{path} is not the authority that multiserve has written there: {error}"
        raise ServeError(Problem(message=message, hint="Delete it, and trust the new one.")) from None


def _place(folder: Path, hosts: tuple[str, ...], root: bytes) -> Path:
    """Return the file for the certificate of some hosts, signed by some authority."""
    digest = hashlib.sha256("\n".join(hosts).encode() + b"\n" + root).hexdigest()
    return folder / f"{digest[:16]}.pem"


def _is_fresh(path: Path) -> bool:
    """Return whether there is a certificate that servers can use, and that is not old."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password="")  # without one it would ask for it
    except OSError:  # there is none, or it is damaged
        return False
    return time.time() - path.stat().st_mtime < _RENEWED


def _write(path: Path, data: bytes) -> None:
    """Write a file that nobody else may read, at once: another server may be reading it."""
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    made = path.with_suffix(f".{os.getpid()}.new")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    made.replace(path)
