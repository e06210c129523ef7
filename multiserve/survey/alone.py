"""Loads mounts alone, each in a process of its own, and finds those that other mounts of their process change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multiserve._types import Interface
from multiserve.config.env_files import read_env_files
from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.interpreters.interpreter import InterpreterError
from multiserve.probing.answers import Answer, read_answer
from multiserve.survey.found import Observe
from multiserve.survey.probed import ProbedGroup
from multiserve.survey.process import EndedError, GroupProcess, Part

_TURNS = 2  # what a mount sets while it answers, its neighbours show from the second turn on


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one mount in one process.

    Attributes:
        problem: Why it could not be loaded; "" if it was.
        answers: Those to each of its URLs, in the order of the requests.
    """

    problem: str = ""
    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Starts processes with some of the mounts that share a process otherwise.

    Attributes:
        config: The configuration.
        group: The group of the mounts; "" for those without one.
        environ: The environment variables before the configuration has set any.
        urls: What to ask each mount, by the names of the mounts.
        interface: That of the composition of all these mounts.
        production: Whether to look at them as production would serve them.
        progress: Show that a mount is being loaded.
    """

    config: Config
    group: str
    environ: Mapping[str, str]
    urls: Mapping[str, Sequence[str]]
    interface: Interface | None
    production: bool
    progress: Observe

    def run(self, mounts: Sequence[Mount]) -> dict[str, Outcome]:
        """Load mounts in a new process, ask each of them twice, in turns, and return what came of them by their names.

        Returns:
            Nothing if the process has ended, or was too slow.
        """
        with contextlib.suppress(EndedError, InterpreterError), self._started(mounts) as process:
            report = process.report(self.progress, checks=False)
            problems = {each["name"]: _problem_of(each["problems"]) for each in report["mounts"]}
            answers = self._ask(ProbedGroup(process), [mount for mount in mounts if not problems[mount.name]])
            return {name: Outcome(problem, answers.get(name, {})) for name, problem in problems.items()}
        return {}

    @contextlib.contextmanager
    def _started(self, mounts: Sequence[Mount]) -> Iterator[GroupProcess]:
        # Without a group, the working directory is the one that this process has.
        group = self.config.groups.get(self.group) or Group(name="", toml_key="", directory=Path.cwd())
        environ = {**read_env_files(self.config.env_files), **self.environ}
        part = Part(tuple(mounts), self.interface)
        process = GroupProcess(self.config, group, environ, production=self.production, part=part)
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            process.end()

    def _ask(self, process: ProbedGroup, mounts: Iterable[Mount]) -> dict[str, dict[str, list[Answer]]]:
        asked = [(mount.name, url) for mount in mounts for url in self.urls.get(mount.name, ())]
        answers: dict[str, dict[str, list[Answer]]] = {}
        for name, url in asked * _TURNS:
            answers.setdefault(name, {}).setdefault(url, []).append(read_answer(process.ask("GET", url)))
        return answers


def _problem_of(problems: Sequence[Mapping[str, str]] | None) -> str:
    return "; ".join(" ".join(each["message"].split()) for each in problems or ())
