"""What a header field may consist of (RFC 9110, sections 5.5 and 5.6.2)."""

from __future__ import annotations

import re

NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
"""The pattern of a name."""

CONTROL = r"[\x00-\x08\x0a-\x1f\x7f]"
"""The pattern of a character that no value has."""

is_name = re.compile(NAME.encode()).fullmatch
has_control = re.compile(CONTROL.encode()).search
