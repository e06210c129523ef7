"""What a text that is not a target was meant to be, by its shape alone."""

from __future__ import annotations

import re

_NAME = r"[^\W\d][\w.]*(?:\(.*\))?"
_SLIPS = tuple(
    (re.compile(pattern, re.DOTALL), hint)
    for pattern, hint in (
        (r"(?:config:)?(?P<file>\S+\.(?:ini|cfg)(?:#\S*)?)", 'Write "paste:{file}" for a file of PasteDeploy.'),
        (r"(?:\S+\s+)+(?P<target>[\w.]+:[\w.]+|[\w/.-]+\.py(?::\w+)?)(?:\s.*)?", 'Write "{target}" alone.'),
        (r"from\s+(?P<module>[\w.]+)\s+import\s+(?P<name>\w+)", 'Write "{module}:{name}".'),
        (r"(?P<module>[\w.]+)\.(?P<name>\w+\(.*\))", 'Write "{module}:{name}".'),
        (rf"(?P<module>[\w./-]+)\s+(?P<name>{_NAME})", 'Write "{module}:{name}".'),
        (rf"(?P<module>[\w./-]+?)\s*::+\s*(?P<name>{_NAME})", 'Write "{module}:{name}".'),
        (rf":\s*(?P<name>{_NAME})", 'Write the module in front: "module:{name}".'),
        (r"(?P<url>https?://\S*)", 'Write {{ redirect = "{url}" }} to send browsers there.'),
        (rf"(?P<path>\w[\w-]*(?:/[\w-]+)*)(?P<rest>:{_NAME})", 'Write the path of the file: "{path}.py{rest}".'),
        (r"(?P<path>[\w-]+)", 'Write the path of the file: "{path}.py".'),
        (r"(?P<path>[\w./-]+/[\w-][\w.-]*\.\w+|[\w-]+-[\w-]*\.\w+)", 'Write {{ file = "{path}" }} for a file.'),
        (
            r"(?P<path>(?!/)[\w./-]*\w)/?",
            'Write "{path}.py" for a Python file, or {{ static = "{path}" }} for a folder of files.',
        ),
    )
)


def what_was_meant(text: str) -> str | None:
    """Return what to write in place of a text that is not a target; None if that is not known."""
    text = text.replace("\\", "/")
    for pattern, hint in _SLIPS:
        if match := pattern.fullmatch(text):
            return hint.format_map(match.groupdict())
    return None
