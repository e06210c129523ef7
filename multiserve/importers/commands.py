"""The command lines that start servers of Python applications, as a Procfile has them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

# Servers, and how each takes its application: "first" is the first word that is no option.
_SERVERS = frozenset(
    {"gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi", "flask", "fastapi"}
)
# Words in front of a command that change nothing about what is served.
_PREFIXES = (
    ["poetry", "run"],
    ["pipenv", "run"],
    ["uv", "run"],
    ["pdm", "run"],
    ["hatch", "run"],
    ["python", "-m"],
    ["python3", "-m"],
    ["exec"],
    ["env"],
)
# Options without a value.
_FLAGS = frozenset(
    {"--reload", "--factory", "--call", "--preload", "--proxy-headers", "--no-access-log", "--debug", "--http2", "-D"}
)
_SHORT = {
    "-b": "--bind",
    "-w": "--workers",
    "-k": "--worker-class",
    "-t": "--timeout",
    "-p": "--port",
    "-c": "--config",
}
_SHORT |= {"-H": "--host", "-A": "--app", "-h": "--host"}


@dataclass(slots=True)
class Command:
    """A command that starts a server.

    Attributes:
        server: The program.
        target: The application, in our spelling; empty if none is named.
        options: What it is started with, by the long names.
        environment: The variables in front of it.
        folder: Where it is started; empty for here.
    """

    server: str
    target: str = ""
    options: list[tuple[str, str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = ""

    def option(self, *names: str) -> str:
        """Return the last value of an option under one of these names; empty if it is not given."""
        return next((value for name, value in reversed(self.options) if name in names), "")


def parse_command(text: str) -> Command | None:
    """Return the server that a command line starts; None if it starts none that is known."""
    folder = ""
    if match := re.match(r"cd\s+(\S+)\s*&&\s*(.*)", text):
        folder, text = match[1], match[2]
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return None
    environment = {}
    while words:
        if re.match(r"[A-Za-z_]\w*=", words[0]):
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
            continue
        prefix = next((each for each in _PREFIXES if words[: len(each)] == each), None)
        if prefix is None:
            break
        words = words[len(prefix) :]
    if words and words[0] in _SERVERS:
        command = Command(words[0], environment=environment, folder=folder)
        _read_words(command, words[1:])
        return command if command.target else None
    return None


def _read_words(command: Command, words: Sequence[str]) -> None:
    positional = []
    for name, value in _options(command.server, words):
        if name:
            command.options.append((name, value))
        else:
            positional.append(value)
    command.folder = command.option("--chdir", "--app-dir") or command.folder
    if command.server == "flask":
        named = command.option("--app") or command.environment.pop("FLASK_APP", "")
        command.target = _usual(named) if named else ""
    elif command.server == "fastapi":
        command.target = f"{positional[1]}:app" if positional[1:] else ""
    else:
        target = positional[0] if positional else ""
        is_factory = any(name in ("--factory", "--call") for name, _ in command.options)
        command.target = f"{target}()" if is_factory and not target.endswith(")") else target
        if command.server == "gunicorn" and target and ":" not in target:
            command.target = f"{target}:application"


def _usual(named: str) -> str:
    return named.replace("/", ".").removesuffix(".py") if ":" not in named else named


def _options(server: str, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Iterate over options with their values; a word that is none has no name."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("&&", "||", "|", ";"):
            return
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            yield "", word
            continue
        name = _SHORT.get(name, name)
        takes_value = not equals and name not in _FLAGS and not name.startswith("--no-") and bool(rest)
        if server == "waitress-serve":  # its options have their values behind =
            takes_value = False
        yield name, rest.pop(0) if takes_value and not rest[0].startswith("--") else value
