"""The key of a mount: its text parsed into a host pattern and a prefix, both in their normal form."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from itertools import takewhile
from typing import NoReturn
from urllib.parse import quote

from multiserve.errors import UnlocatedError
from multiserve.hosts import HIGHEST_PORT, LONGEST_HOST

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FOREIGN_PLACEHOLDER = re.compile(
    r"<(?:\w+:)?(?P<angle>\w+)>|(?<=[/.]):(?P<colon>[^\W\d]\w*)(?=[/.]|$)|\{(?P<typed>\w+):\w*\}"
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# IDNA 2003, which Python implements, and the newer IDNA of browsers disagree about these four characters.
_DISPUTED = frozenset("ßς\u200c\u200d")


class KeyProblem(UnlocatedError, ValueError):  # noqa: N818 (the reader turns it into a `Problem`)
    """A text that is not the key of a mount: what is wrong, and what to write instead."""


@dataclass(frozen=True, slots=True)
class MountKey:
    """The host and the prefix of a mount, in normal form; `{name}` is a placeholder for one label or one segment.

    The key identifies its mount: logs, workers and reports use its text, which parses to the same key again.

    Attributes:
        host: `example.com`, `[::1]`, or `*.example.com` for one label or more in front; empty for any host.
        port: The port that the host is bound to, or None for any.
        prefix: `/path` without a slash at its end, or "" for the root.
    """

    host: str = ""
    port: int | None = None
    prefix: str = ""

    @property
    def authority(self) -> str:
        """The host with its port, as a Host header would spell it; empty for any host."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of the placeholders, in the order of the key."""
        return tuple(_PLACEHOLDER.findall(self.host + self.prefix))

    @property
    def place(self) -> tuple[str, int | None, str]:
        """What the key matches, whatever its placeholders are called: keys of equal places are the same mount."""
        return (_PLACEHOLDER.sub("{}", self.host), self.port, _PLACEHOLDER.sub("{}", self.prefix))

    def __str__(self) -> str:
        return self.authority + (self.prefix or ("" if self.host else "/"))


def url_of(key: MountKey, origin: str) -> str:
    """Return the URL of a mount that a person can click, given the origin of the server."""
    scheme, _, address = origin.partition("://")
    if key.host:
        port = address.rpartition(":")[2] if key.port is None else key.port
        address = f"{key.host}:{port}"
    return f"{scheme}://{address}{quote(key.prefix, safe='/{}')}/"


def is_followable(key: MountKey) -> bool:
    """Return whether the URL of a mount is one, and not a pattern of many."""
    return not key.placeholders and not key.host.startswith("*")


def parse_key(text: str) -> MountKey:
    """Parse `/path`, `host` or `host/path`.

    Raises:
        KeyProblem: The text is not a key, with what to write instead.
    """
    if not text.strip():
        _refuse("a key is empty", 'Write "/" for the root, "/path" for a prefix, or a host such as "example.com".')
    if text != text.strip():
        _refuse("a key has no spaces around it", f'Write "{text.strip()}".')
    _refuse_foreign(text)
    authority, slash, rest = text.partition("/")
    if authority.endswith(":") and rest.startswith("/"):
        _refuse("a key has no scheme", f'Write "{rest[1:]}".')
    host, port = _parse_authority(authority, text) if authority else ("", None)
    key = MountKey(host, port, _parse_prefix(slash + rest))
    _check_placeholders(key)
    return key


def _refuse_foreign(text: str) -> None:
    """Refuse what routers and other servers write in a URL, and which would be plain text here."""
    mended = _FOREIGN_PLACEHOLDER.sub(lambda match: f"{{{match[match.lastgroup or 0]}}}", f"/{text}")[1:]
    if mended != text:
        _refuse("a placeholder is a name in braces", f'Write "{mended}".')
    path = text[text.find("/") :] if "/" in text else ""
    if text.startswith("*") and text[1:2] in ("", "/", ":"):
        _refuse("* alone is no host, as a path is served on any host", f'Write "{path or "/"}".')
    if any(segment and not segment.strip("*") for segment in path.split("/")):
        before = "/".join(takewhile(lambda segment: "*" not in segment, text.split("/")))
        _refuse("a prefix has no *, as it stands for everything below it", f'Write "{before or "/"}".')


def _check_placeholders(key: MountKey) -> None:
    names = key.placeholders
    for name in names:
        if not name.isidentifier():
            _refuse(f'"{{{name}}}" is not a placeholder', "Write a name in the braces, such as {user}.")
        if names.count(name) > 1:
            _refuse(f"the placeholder {{{name}}} is there twice", "Give each placeholder a name of its own.")


def _refuse(message: str, hint: str) -> NoReturn:
    raise KeyProblem(message, hint)


def _parse_prefix(path: str) -> str:
    for mark, name in ("?", "a query"), ("#", "a fragment"):
        if mark in path:
            _refuse(f"a prefix is a path, without {name}", f'Write "{path.partition(mark)[0]}".')
    if re.search("%[0-9A-Fa-f]{2}", path):
        _refuse("a prefix is plain text, not percent-escaped", "Write the character itself, such as é for %C3%A9.")
    if unprintable := next((each for each in path if not each.isprintable()), None):
        _refuse(f"a prefix cannot contain {unprintable!r}", "Take the character out.")
    prefix = path.removesuffix("/")
    segments = prefix.split("/")[1:]
    _refuse_partial_placeholder("segment", segments)
    if "" in segments:
        written = "/".join(segment for segment in segments if segment)
        _refuse("a prefix has no empty segments", f'Write "/{written}".')
    if "." in segments or ".." in segments:
        _refuse("a prefix has no . or .. segments", "Write the path that it comes to.")
    return prefix


def _parse_authority(authority: str, text: str) -> tuple[str, int | None]:
    if "@" in authority:
        _refuse("a host has no user", f'Write "{text.partition("@")[2]}".')
    host, port = _split_port(authority)
    if host.startswith("["):
        return _parse_ipv6(host), port
    name = host.removesuffix(".").lower()
    if port is None and name != "localhost" and not any(mark in name for mark in ".*{"):
        path = text.lstrip("^~\\/ ").replace("\\", "/")
        _refuse(f'"{text}" is neither a path nor a host', f'Did you mean "/{path}"? A host has a dot or a port.')
    return _parse_name(host), port


def _split_port(authority: str) -> tuple[str, int | None]:
    host, colon, digits = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return authority, None
    if ":" in host and not host.startswith("["):
        _refuse("an IPv6 address is written in brackets", f'Write "[{authority}]", and a port behind the bracket.')
    if not re.fullmatch("[0-9]{1,5}", digits) or not 0 < int(digits) <= HIGHEST_PORT:
        hint = f"Write a number from 1 to {HIGHEST_PORT}."
        if digits.isidentifier():
            hint = f'{hint} A target is written behind its key: "/" = "{authority}".'
        elif digits == "*":
            hint = f'Write "{host}", which is any port.'
        _refuse(f'"{digits}" is not a port', hint)
    return host, int(digits)


def _parse_ipv6(host: str) -> str:
    if "%" in host:
        _refuse("an address in a Host header has no zone", f'Write "{host.partition("%")[0]}]".')
    try:
        return f"[{ipaddress.IPv6Address(host.removeprefix('[').removesuffix(']')).compressed}]"
    except ValueError:
        _refuse(f'"{host}" is not an IPv6 address', 'Write it as "[::1]".')


def _parse_name(host: str) -> str:
    star, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    name = name.removesuffix(".")
    if "*" in name:
        _refuse("* stands for whole labels, at the front of a host", 'Write "*.example.com", or no host for any.')
    labels = name.split(".")
    _refuse_partial_placeholder("label", labels)
    if star and "{" in name:
        _refuse("a host has either * or placeholders", "Write one key for each number of labels.")
    labels = [label if "{" in label else _normal_label(label) for label in labels]
    literal = [label for label in labels if "{" not in label]
    if len(name) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in literal):
        _refuse(f'"{host}" is not a host', 'Write a name such as "example.com", an address, or "/path" for a prefix.')
    return star + ".".join(labels)


def _refuse_partial_placeholder(kind: str, parts: list[str]) -> None:
    for part in parts:
        if ("{" in part or "}" in part) and not _PLACEHOLDER.fullmatch(part):
            _refuse(f"a placeholder is a whole {kind}", f'Write it alone between two {_BORDERS[kind]}, not "{part}".')


_BORDERS = {"segment": "slashes", "label": "dots"}


def _normal_label(label: str) -> str:
    return label.lower() if label.isascii() else _to_ascii(label.lower())


def _to_ascii(name: str) -> str:
    if disputed := _DISPUTED.intersection(name):
        characters = ", ".join(sorted(map(ascii, disputed)))
        _refuse(f"a host with {characters} has two readings", 'Write it as browsers send it, in its "xn--" form.')
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        _refuse(f'"{name}" is not an internationalised host name', 'Write it in its "xn--" form.')
