"""Regular expressions of fronts (PCRE): hosts, ports, and paths of which each character may stand escaped.

They have neither blanks nor quotes, and no backslash but that of a byte, so that they can be written in any quotes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from multiserve.export.patterns import STAR

LABEL = "[A-Za-z0-9_-]{1,63}"
"""A label of a host."""

HOST = rf"(?:{LABEL}(?:[.]{LABEL}){{0,126}}|\x5b[0-9A-Fa-f:.]{{2,45}}\x5d)"
"""A name, an IPv4 address, or an IPv6 address in brackets; without the dot at the end of a name."""

PORT = "(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
"""A port, without zeros in front."""

_UNESCAPED = range(0x21, 0x7F)  # the bytes that can be in a request target as they are
_SLASH = "(?:/|%2[Ff])"
_END = "(?:/|%2[Ff]|[?#]|$)"
_MORE = "%[89AaBb][0-9A-Fa-f]"  # a byte of UTF-8 behind the first one
# What a placeholder takes: UTF-8 without control characters, and not U+FFFD, as `multiserve.routing.read_value` has it.
_CHARACTERS = (
    "[^/?#%]",
    "%(?![0-9A-Fa-f]{2})",
    "%(?!2[Ff]|7[Ff])[2-7][0-9A-Fa-f]",
    "%[Cc]2%[AaBb][0-9A-Fa-f]",
    f"%(?:[Cc][3-9A-Fa-f]|[Dd][0-9A-Fa-f]){_MORE}",
    f"%[Ee]0%[AaBb][0-9A-Fa-f]{_MORE}",
    f"%[Ee][Dd]%[89][0-9A-Fa-f]{_MORE}",
    f"%[Ee](?![0Dd])(?![Ff]%[Bb][Ff]%[Bb][Dd])[0-9A-Fa-f]{_MORE}{_MORE}",
    f"%[Ff]0%[9AaBb][0-9A-Fa-f]{_MORE}{_MORE}",
    f"%[Ff][1-3]{_MORE}{_MORE}{_MORE}",
    f"%[Ff]4%8[0-9A-Fa-f]{_MORE}{_MORE}",
)
_SEGMENT = f"(?!(?:[.]|%2[Ee]){{1,2}}{_END})(?:{'|'.join(_CHARACTERS)})+"


_DECODED_END = r"(?:/|\z)"  # a dollar sign would match before a line break as well
_DECODED_CHARACTERS = (
    r"[\x20-\x2e\x30-\x7e]",
    r"\xc2[\xa0-\xbf]",
    r"[\xc3-\xdf][\x80-\xbf]",
    r"\xe0[\xa0-\xbf][\x80-\xbf]",
    r"\xed[\x80-\x9f][\x80-\xbf]",
    r"(?!\xef\xbf\xbd)[\xe1-\xec\xee\xef][\x80-\xbf]{2}",
    r"\xf0[\x90-\xbf][\x80-\xbf]{2}",
    r"[\xf1-\xf3][\x80-\xbf]{3}",
    r"\xf4[\x80-\x8f][\x80-\xbf]{2}",
)
_DECODED_SEGMENT = rf"(?![.]{{1,2}}{_DECODED_END})(?:{'|'.join(_DECODED_CHARACTERS)})+"


def escaped_path(prefix: str) -> str:
    """Return an expression for request targets that begin with a prefix; `{}` in it is a placeholder."""
    segments = prefix.split("/")[1:]
    return "".join(f"{_SLASH}{_SEGMENT if each == '{}' else _escaped(each)}" for each in segments) + _END


def _escaped(segment: str) -> str:
    return "".join(_escaped_byte(each) for each in segment.encode())


def _escaped_byte(byte: int) -> str:
    escape = "%" + "".join(f"[{digit}{digit.lower()}]" if digit.isalpha() else digit for digit in f"{byte:02X}")
    return f"(?:{literal(chr(byte))}|{escape})" if byte in _UNESCAPED else escape


def literal(text: str) -> str:
    """Return an expression for a text of ASCII."""
    return "".join(
        each if re.match("[A-Za-z0-9_~-]", each) else "[.]" if each == "." else f"\\x{ord(each):02x}" for each in text
    )


def decoded_path(prefix: str) -> str:
    r"""Return an expression for decoded paths that begin with a prefix, byte by byte; `{}` in it is a placeholder."""
    segments = prefix.split("/")[1:]
    return "".join(f"/{_DECODED_SEGMENT if each == '{}' else _bytes(each)}" for each in segments) + _DECODED_END


def _bytes(segment: str) -> str:
    return "".join(literal(chr(byte)) for byte in segment.encode())


def host_pattern(host: str) -> str:
    """Return an expression for the names of hosts in small letters; `*.` is one label or more, and `{}` is one."""
    if host.startswith("["):
        return rf"\x5b(?:{'|'.join(_spellings(host[1:-1]))})\x5d"
    star, name = (f"(?:{LABEL}[.])+", host[2:]) if host.startswith(STAR) else ("", host)
    return star + "[.]".join(LABEL if label == "{}" else literal(label) for label in name.split("."))


def _spellings(address: str) -> Iterator[str]:
    """Yield expressions for all that an IPv6 address may be written as (RFC 4291, section 2.2)."""
    parsed = ipaddress.IPv6Address(address)
    groups = [f"{int(group, 16):x}" for group in parsed.exploded.split(":")]
    ends = [groups[6:], [".".join(map(str, parsed.packed[12:]))]]  # the last 32 bits may be those of an IPv4 address
    for end in ends:
        written = [*(f"0{{0,{4 - len(group)}}}{group}" for group in groups[:6]), *map(_end_of_address, end)]
        yield ":".join(written)
        zeros = [group == "0" for group in (*groups[:6], *end)]
        for first in range(len(zeros)):
            for last in range(first + 1, len(zeros) + 1):
                if all(zeros[first:last]):
                    yield f"{':'.join(written[:first])}::{':'.join(written[last:])}"


def _end_of_address(part: str) -> str:
    return literal(part) if "." in part else f"0{{0,{4 - len(part)}}}{part}"
