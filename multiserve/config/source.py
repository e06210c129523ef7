"""Where a configuration comes from, as one value: reading it again reads the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from multiserve.errors import Problem

_ON_COMMAND_LINE = (  # words of problems, and what they are there
    (r'pythonpath = \["(.*?)"\]', r"PYTHONPATH=\1"),
    (r"\bpythonpath\b", "the environment variable PYTHONPATH"),
    (r"\bthe folder of the configuration\b", "the current folder"),
    (r'Set it, or write \w+ = "\.\.\." under \[env\]\.', "Set it."),
    (r'Write (\w+) = "(.*?)" under \[env\]', r"Set the environment variable \1=\2"),
    (r", or (write them )?under \[env\]", ""),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or the targets of a command line.

    Attributes:
        path: The file; for targets the folder in which the command was given.
        targets: The targets as they were typed, each with or without a key; empty for a file.
    """

    path: Path
    targets: tuple[str, ...] = ()

    @property
    def file(self) -> Path | None:
        """The file; None for targets."""
        return None if self.targets else self.path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.path if self.targets else self.path.parent

    @property
    def heading(self) -> str:
        """What stands above the problems of a file; empty for targets, whose problems have the arguments as keys."""
        return "" if self.targets else str(self.path)

    def absolute(self) -> Source:
        """Return the same source, wherever the process goes."""
        return replace(self, path=self.path.absolute())

    def word(self, problem: Problem) -> Problem:
        """Return a problem, which is worded for a file, with what there is to do on a command line."""
        if not self.targets:
            return problem
        message, hint = problem.message, problem.hint
        for pattern, words in _ON_COMMAND_LINE:
            message, hint = re.sub(pattern, words, message), re.sub(pattern, words, hint)
        return replace(problem, message=message, hint=hint)

    def __str__(self) -> str:
        return "the command line" if self.targets else str(self.path)
