"""How applications are read without disturbing them: only what is loaded already, and every failure contained."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

from multiserve.frameworks.facts import Secret
from multiserve.tracebacks import in_one_line

T = TypeVar("T")
U = TypeVar("U")

# New in each process, so that fingerprints are of no use outside of it and of the processes that it starts.
_OWN_SALT = secrets.token_bytes(32)
_SALT: ContextVar[bytes] = ContextVar("the salt of fingerprints", default=_OWN_SALT)
_INSECURE = "django-insecure-"  # the beginning of the keys that Django's startproject generates
_PLACEHOLDERS = frozenset(
    ("changeme", "change-me", "change_me", "change this", "dev", "development", "insecure", "key", "mysecret",
     "mysecretkey", "not-a-secret", "replace-me", "secret", "secret-key", "secret_key", "secretkey", "super-secret",
     "super secret key", "supersecret", "supersecretkey", "todo", "your-secret-key", "your-secret-key-here",
     "your_secret_key", "yoursecretkey")
)  # fmt: skip


def salt() -> bytes:
    """Return what makes fingerprints comparable: the same keys have the same fingerprint with the same salt."""
    return _SALT.get()


@contextlib.contextmanager
def salted(with_salt: bytes) -> Iterator[None]:
    """Make fingerprints with the salt of another process, inside the with block."""
    token = _SALT.set(with_salt)
    try:
        yield
    finally:
        _SALT.reset(token)


def loaded(module: str, name: str) -> Any:
    """Return an attribute of a module; None if the module is not loaded or does not have it."""
    return getattr(sys.modules.get(module), name, None)


def is_a(value: object, module: str, name: str) -> bool:
    """Return whether a value is an instance of a class; False if the module of the class is not loaded."""
    kind = loaded(module, name)
    # `type`, because a proxy returns the class of something else as its __class__.
    return isinstance(kind, type) and issubclass(type(value), kind)


def known(read: Callable[[], T], otherwise: U) -> T | U:
    """Read a fact, or return `otherwise` if the application raises anything except KeyboardInterrupt."""
    try:
        return read()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 (as for loading: SystemExit is no more than a broken application)
        return otherwise


def failure_of(read: Callable[[], object]) -> str:
    """Return what an application raises, and where; "" if it raises nothing."""
    try:
        read()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 (as above)
        return in_one_line(error)
    return ""


def texts(values: Iterable[object]) -> tuple[str, ...]:
    """Keep the values that are text: settings from the environment may be None."""
    return tuple(value for value in values if isinstance(value, str))


def version_of(distribution: str) -> str:
    """Return the version of an installed distribution; "" if it is not installed."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(distribution)
    return ""


def plain_methods(methods: Iterable[str] | None) -> tuple[str, ...]:
    """Return methods as they were declared, without the HEAD and OPTIONS that frameworks add."""
    declared = set(methods or ())
    added = {"OPTIONS"} | ({"HEAD"} if "GET" in declared else set())
    return tuple(sorted(declared - added or declared))


def secret_of(setting: str, key: object) -> Secret | None:
    """Return how a key is set; None if it is neither text nor bytes."""
    if key is None:
        return Secret(setting, "none")
    if not isinstance(key, (str, bytes)):
        return None
    if not key:
        return Secret(setting, "none")
    text = key.decode("latin-1") if isinstance(key, bytes) else key
    raw = key if isinstance(key, bytes) else key.encode("utf-8", "surrogateescape")
    is_default = text.startswith(_INSECURE) or text.strip().lower() in _PLACEHOLDERS
    fingerprint = hashlib.blake2b(raw, key=_SALT.get(), digest_size=8).hexdigest()
    return Secret(setting, "default" if is_default else "set", fingerprint)
