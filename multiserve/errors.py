"""The exceptions of multiserve, and `Problem`, the unit in which every mistake is reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import indent
from typing import ClassVar

from multiserve.shortening import shorten_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: where it is, what is wrong, and what to do about it.

    Attributes:
        key: The TOML key path as the file spells it, such as `mounts."/admin".app`, or another place, such as a file;
            empty where there is none.
        message: What is wrong, without a full stop.
        hint: What to do about it, as one or more sentences; empty where the message says it all.
        excerpt: The line of a file that is meant, as `multiserve.excerpts` shows it; empty where there is none.
    """

    key: str = ""
    message: str
    hint: str = ""
    excerpt: str = ""

    def __post_init__(self) -> None:
        """Keep all of it readable: users and exceptions of applications bring texts of any length."""
        for name in ("key", "message", "hint"):
            object.__setattr__(self, name, shorten_words(getattr(self, name)))

    def __str__(self) -> str:
        where = f"{self.key}: " if self.key else ""
        excerpt = "\n" + indent(self.excerpt, "    ") if self.excerpt else ""
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{where}{self.message}{excerpt}{hint}"


class UnlocatedError(Exception):
    """A problem that is raised where its place in the file is not known; the caller makes it a `Problem`.

    Attributes:
        hint: What to do about it, as one or more sentences.
        excerpt: The line of a file that is meant; empty where there is none.
        usual_hint: The hint of the problems of one class that are raised without one.
    """

    usual_hint: ClassVar[str] = ""

    def __init__(self, message: str, hint: str | None = None, excerpt: str = "") -> None:
        """Say what is wrong, what to do about it, and which line of which file is meant."""
        super().__init__(message)
        self.hint = self.usual_hint if hint is None else hint
        self.excerpt = excerpt

    def at(self, key: str) -> Problem:
        """Return the problem, at the key that it concerns."""
        return Problem(key=key, message=str(self), hint=self.hint, excerpt=self.excerpt)


class MultiserveError(Exception):
    """Something that multiserve refuses to do, with every reason for it.

    Attributes:
        problems: Every mistake that was found, in the order of the file.
        details: The tracebacks of the applications behind it, if there are any.
        exit_code: What the command line exits with.
    """

    exit_code: int = 1
    details: str = ""

    def __init__(self, *problems: Problem | str) -> None:
        """Collect the problems; a plain string is a problem without a key."""
        self.problems = tuple(Problem(message=each) if isinstance(each, str) else each for each in problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class ConfigError(MultiserveError):
    """The configuration is missing, unreadable or wrong."""

    def __init__(self, *problems: Problem | str, source: str = "") -> None:
        """Collect the problems of one file, whose path is `source`."""
        super().__init__(*problems)
        self.source = source

    def __str__(self) -> str:
        return f"{self.source}:\n{super().__str__()}" if self.source else super().__str__()


class LoadError(MultiserveError):
    """An application could not be loaded; its `__cause__` is the exception that the application raised, if any."""

    exit_code = 3


class ServeError(MultiserveError):
    """A server cannot be started."""

    exit_code = 3


def raise_for(problems: Iterable[Problem], *, source: str = "") -> None:
    """Raise one `ConfigError` over all problems, or return if there are none."""
    if found := tuple(problems):
        raise ConfigError(*found, source=source)
