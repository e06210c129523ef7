"""Environment variables in the file: `${NAME}` and `${NAME:-default}` in keys and texts, replaced before it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from multiserve.config.tables import quote_key
from multiserve.errors import Problem

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SHAPE = 'Write "${NAME}", "${NAME:-default}", or "$${" where the two characters themselves are meant.'


class Variables:
    """Replaces what refers to environment variables, and collects what is wrong with it."""

    def __init__(self, environment: Mapping[str, str], root: str) -> None:
        """Prepare to replace references to these variables.

        Args:
            environment: The environment of the process.
            root: The key path of the table that holds everything; empty at the top of a file.
        """
        self.problems: list[Problem] = []
        self._environment = environment
        self._root = root

    def replace(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole configuration with all variables replaced.

        The environment of the process counts, then what the file has under `[env]`; there the process alone counts, so
        that the order of the lines does not matter.
        """
        env = document.get("env")
        known = dict(self._environment)
        replaced: dict[str, Any] = {}
        if isinstance(env, dict):
            replaced = self._in_table({"env": env}, self._root, known)
            own = {name: value for name, value in replaced["env"].items() if isinstance(value, str)}
            known = {**own, **known}
        others = {name: value for name, value in document.items() if name not in replaced}
        made = {**self._in_table(others, self._root, known), **replaced}
        if replaced:  # in its place, as the caller may go through both
            names = list(made)
            names.insert(list(document).index("env"), names.pop())
            made = {name: made[name] for name in names}
        return made

    def _in_table(self, table: Mapping[str, Any], path: str, known: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in table.items():
            here = f"{path}.{quote_key(name)}" if path else quote_key(name)
            key = self._in_text(name, here, known)
            if key in found:
                message = f'with its variables it is "{key}", which is there already'
                self.problems.append(Problem(key=here, message=message, hint="Keep one of the two."))
                continue
            found[key] = self._in_value(value, here, known)
        return found

    def _in_value(self, value: Any, path: str, known: Mapping[str, str]) -> Any:
        if isinstance(value, str):
            return self._in_text(value, path, known)
        if isinstance(value, list):
            return [self._in_value(each, path, known) for each in value]
        return self._in_table(value, path, known) if isinstance(value, dict) else value

    def _in_text(self, text: str, path: str, known: Mapping[str, str]) -> str:
        if "${" not in text:
            return text
        return _REFERENCE.sub(self._resolver(path, known), text)

    def _resolver(self, path: str, known: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
        def resolve(match: re.Match[str]) -> str:
            if match[1] is None:
                return "${"
            variable = _VARIABLE.fullmatch(match[1])
            if variable is None or not match[2]:
                self.problems.append(Problem(key=path, message=f'"{match[0]}" is no variable', hint=_SHAPE))
                return match[0]
            name, default = variable.groups()
            if default is not None:
                return known.get(name) or default
            if name not in known:
                hint = f'Set it, or write "${{{name}:-default}}".'
                self.problems.append(Problem(key=path, message=f"there is no variable {name}", hint=hint))
                return match[0]
            return known[name]

        return resolve


def named_in(written: Mapping[str, Any]) -> dict[str, bool]:
    """Return the names of all variables in keys and texts, each with whether it always has a default.

    Args:
        written: A configuration as it stands in the file.
    """
    found: dict[str, bool] = {}
    for text in _texts(written):
        for match in _REFERENCE.finditer(text):
            if match[1] is not None and match[2] and (variable := _VARIABLE.fullmatch(match[1])):
                name, default = variable.groups()
                found[name] = found.get(name, True) and default is not None
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield str(key)
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
