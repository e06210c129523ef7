"""Regular expressions of fronts (PCRE): hosts, ports, and paths of which each character may stand escaped.

They have neither blanks nor quotes, and no backslash but that of a byte, so that they can be written in any quotes.
"""

from __future__ import annotations

import re

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
