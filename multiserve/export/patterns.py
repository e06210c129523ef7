"""Patterns of hosts and prefixes: what two of them have in common, which is a pattern again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

from multiserve.keys import MountKey

T = TypeVar("T")

STAR = "*."


def unnamed(key: MountKey) -> MountKey:
    """Return a key with `{}` for each placeholder."""
    return MountKey(_unnamed(key.host), key.port, _unnamed(key.prefix))


def _unnamed(text: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", text)


def with_common(patterns: AbstractSet[T], common: Callable[[T, T], T | None]) -> list[T]:
    """Return patterns, and what any of them have in common; that of two without `*` or `{}` is one of them."""
    found: list[T] = []
    wide: list[T] = []
    pending = list(patterns)
    known = set(patterns)
    for pattern in pending:  # it grows meanwhile
        is_wide = any(mark in str(pattern) for mark in "*{")
        for other in found if is_wide else wide:
            both = common(pattern, other)
            if both is not None and both not in known:
                known.add(both)
                pending.append(both)
        found.append(pattern)
        wide += [pattern] if is_wide else []
    return found


def common_hosts(one: MountKey, other: MountKey) -> MountKey | None:
    """Return the hosts that match two keys, whatever their prefixes; None if there are none."""
    if one.port is not None and other.port is not None and one.port != other.port:
        return None
    host = _common_names(one.host, other.host)
    return None if host is None else MountKey(host, other.port if one.port is None else one.port)


def _common_names(one: str, other: str) -> str | None:
    if not one or not other or one == other:
        return one or other
    stars = [host for host in (one, other) if host.startswith(STAR)]
    if not stars:
        return _common_parts(one.split("."), other.split("."), ".")
    if len(stars) > 1:  # one ends as the other does, or there is no such host
        shorter, longer = sorted(stars, key=len)
        return longer if longer.endswith(shorter[1:]) else None
    suffix, labels = stars[0][2:].split("."), (other if one == stars[0] else one).split(".")
    if len(labels) <= len(suffix):  # the star is one label or more
        return None
    end = _common_parts(labels[-len(suffix) :], suffix, ".")
    return None if end is None else ".".join([*labels[: -len(suffix)], end])


def common_prefix(one: str, other: str) -> str | None:
    """Return the prefix of all paths that have two prefixes; None if there are none."""
    shorter, longer = sorted((one.split("/"), other.split("/")), key=len)
    begin = _common_parts(shorter, longer[: len(shorter)], "/")
    return None if begin is None else "/".join([begin, *longer[len(shorter) :]])


def _common_parts(one: Sequence[str], other: Sequence[str], mark: str) -> str | None:
    """Return what labels or segments have in common, of which `{}` is any; None if they differ."""
    if len(one) != len(other) or any(len({*pair} - {"{}"}) > 1 for pair in zip(one, other, strict=True)):
        return None
    return mark.join(right if left == "{}" else left for left, right in zip(one, other, strict=True))
