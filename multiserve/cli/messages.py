"""What a server says to its user while it serves: text for people, or lines of JSON."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import click

from multiserve.cli.output import paint, say
from multiserve.cli.progress import Progress
from multiserve.config.mounts import Mount
from multiserve.errors import ConfigError

if TYPE_CHECKING:
    from multiserve.config.model import Config
    from multiserve.servers.development.access_line import Answered  # imported where used, so that --help stays fast
    from multiserve.servers.groups.reading import Reading


class Messages(Protocol):
    """Ways to say something.

    Attributes:
        progress: Show that a mount is being loaded.
    """

    progress: Callable[[Mount], contextlib.AbstractContextManager[object]]

    def say(self, text: str) -> None:
        """Say something."""
        ...

    def fail(self, text: str) -> None:
        """Say what has failed."""
        ...

    def log_access(self, answered: Answered) -> None:
        """Say that a request was answered."""
        ...


def messages_for(reading: Reading, level: int) -> Messages:
    """Return how the server says what it has to say; with JSON this process writes nothing else from now on.

    Args:
        reading: What the configuration is read from; where it is wrong, the messages are text.
        level: The least severe messages to print.
    """
    with contextlib.suppress(ConfigError):  # the server will report it
        config = reading.read()
        if config.server.log == "json":
            return JSONMessages(config)
    return TextMessages(level)


class TextMessages:
    """Text on stderr, in colours on a terminal."""

    def __init__(self, level: int) -> None:
        """Show progress where the level says so."""
        shown = Progress(is_verbose=level == logging.DEBUG)
        self.progress: Callable[[Mount], contextlib.AbstractContextManager[object]] = (
            shown if level <= logging.INFO else contextlib.nullcontext
        )
        self.say = shown.say

    def fail(self, text: str) -> None:
        """Print a traceback, and an empty line."""
        click.echo(f"{text}\n", err=True)

    def log_access(self, answered: Answered) -> None:
        """Print the line of a request."""
        say(answered.line(paint), err=True)


class JSONMessages:
    """JSON on stderr."""

    def __init__(self, config: Config) -> None:
        """Write JSON from now on."""
        from multiserve.servers.json_log import use_json

        self._log = use_json(config)
        self.progress: Callable[[Mount], contextlib.AbstractContextManager[object]] = contextlib.nullcontext

    def say(self, text: str) -> None:
        """Write a message."""
        self._log.info("%s", click.unstyle(text).strip("\n"))

    def fail(self, text: str) -> None:
        """Write an error."""
        self._log.error("%s", text.strip("\n"))

    def log_access(self, answered: Answered) -> None:
        """Write the line of a request."""
        answered.as_access_line().write(self._log)
