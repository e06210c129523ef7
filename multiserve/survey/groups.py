"""The processes of all groups: started one after the other, asked about their mounts, and ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from multiserve._types import Interface
from multiserve.checks.subject import Load
from multiserve.composition import Composition, compose
from multiserve.config.env_files import read_env_files
from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.config.mounts import FleetMount, Mount
from multiserve.config.processes import for_front
from multiserve.errors import LoadError, Problem
from multiserve.findings import Finding
from multiserve.frameworks import Facts, InnerAnswer, InnerRequest
from multiserve.interpreters.interpreter import InterpreterError
from multiserve.kinds.fleets import FleetKind
from multiserve.loading.mounts import Handlers, LoadedMount
from multiserve.loading.side_effects import SideEffects
from multiserve.survey.applications import Find, RemoteApplication
from multiserve.survey.found import Observe, Survey
from multiserve.survey.probed import ProbedGroup
from multiserve.survey.process import EndedError, GroupProcess
from multiserve.survey.values import from_plain, to_plain

_NO_SOCKET = "(checked)"  # nothing is served: the proxies of the process in front connect to nothing


class Groups:
    """The processes of the groups of a configuration."""

    def __init__(self, config: Config, environ: Mapping[str, str], *, production: bool) -> None:
        """Start none yet.

        Args:
            config: The configuration.
            environ: The environment variables before the configuration has set any.
            production: Whether to look at the mounts as production would serve them.
        """
        self._config = config
        self._environ = {**read_env_files(config.env_files), **environ}
        self._production = production
        self._running: dict[str, GroupProcess] = {}

    def compose_front(self, observe: Observe, interface: Callable[[Config], Interface | None]) -> Composition:
        """Load the mounts of the process in front, with the proxies to those of the groups."""
        config = for_front(self._config, dict.fromkeys(self._config.groups, _NO_SOCKET))
        return compose(config, observe=observe, interface=interface(config))

    @contextlib.contextmanager
    def ended(self) -> Iterator[None]:
        """End all processes after the with block, and at once where that is left by an error: an import may hang."""
        try:
            yield
        except BaseException:
            for process in self._running.values():
                process.kill()
            raise
        finally:
            for process in self._running.values():
                process.let_go()
            for process in self._running.values():
                process.end()

    def ask(self, front: Composition, survey: Survey, progress: Observe, *, checks: bool) -> dict[str, LoadedMount]:
        """Ask the process of each group, and return its mounts by their names; what else it reports is added.

        Args:
            front: The process in front, which may be unable to hand requests on.
            survey: What is known so far.
            progress: Show that a mount is being loaded.
            checks: Whether to run the checks that look at one process.
        """
        lost = {loaded.mount.name: loaded.error for loaded in front.failures if loaded.mount.group}
        answers: dict[str, LoadedMount] = {}
        for group in self._config.groups.values():
            mounts = group.mounts_of(self._config.mounts)
            if not mounts:  # --only leaves them out
                continue
            if error := next((lost[mount.name] for mount in mounts if mount.name in lost), None):
                answers |= {mount.name: _failed(mount, lost.get(mount.name) or error) for mount in mounts}
            else:
                answers |= self._ask_one(group, survey, progress, front, checks=checks)
        for name in answers.keys() - survey.effects.keys():
            survey.effects[name] = SideEffects()
        return answers

    def _ask_one(
        self, group: Group, survey: Survey, progress: Observe, front: Composition, *, checks: bool
    ) -> dict[str, LoadedMount]:
        mounts = group.mounts_of(self._config.mounts)
        try:
            process = GroupProcess(self._config, group, self._environ, production=self._production)
            self._running[group.name] = process
            report = process.report(progress, checks=checks)
        except InterpreterError as error:
            problem = error.at(f"{group.toml_key}.python")
            return {mount.name: _failed(mount, LoadError(problem)) for mount in mounts}
        except EndedError as error:
            return dict(_ended(group, mounts, self._running.get(group.name), error))
        survey.findings += [from_plain(Finding, each) for each in report["findings"]]
        survey.loads.append(from_plain(Load, report["load"]))
        for each in report["mounts"]:
            survey.effects[each["name"]] = from_plain(SideEffects, each["effects"])
        return dict(_Reported(process, front).read(report["mounts"], mounts))

    def begin_probe(self, survey: Survey) -> None:
        """Have the processes that have loaded their mounts ready for a probe."""
        for name, process in self._running.items():
            survey.processes[name] = ProbedGroup(process)


def _failed(mount: Mount, error: LoadError) -> LoadedMount:
    return LoadedMount(mount=mount, error=error)


def _ended(
    group: Group, mounts: tuple[Mount, ...], process: GroupProcess | None, error: EndedError
) -> Iterator[tuple[str, LoadedMount]]:
    """Yield the mounts of a process that has ended, each with the reason."""
    guilty = process.loading if process else None
    for mount in mounts:
        loading = f" while it loaded {'this mount' if mount is guilty else guilty.name}" if guilty else ""
        message = f'the process of the group "{group.name}" {error}{loading}'
        yield mount.name, _failed(mount, LoadError(Problem(key=mount.place, message=message, hint=error.hint)))


class _Reported:
    """Makes mounts of what a process reports."""

    def __init__(self, process: GroupProcess, front: Composition) -> None:
        self._process = process
        self._front = front
        self._applications: dict[int, object] = {}
        self._origins: dict[int, RemoteApplication] = {}

    def read(self, reported: list[dict[str, Any]], mounts: tuple[Mount, ...]) -> Iterator[tuple[str, LoadedMount]]:
        """Yield each mount by its name."""
        by_name = {each["name"]: each for each in reported}
        for mount in mounts:
            each = by_name[mount.name]
            yield (
                mount.name,
                LoadedMount(
                    mount=mount,
                    interface=each["interface"],
                    origin=self._origin_of(each),
                    handlers=self._handlers_of(mount),
                    error=_error_of(each),
                ),
            )

    def _handlers_of(self, mount: Mount) -> Handlers | None:
        loader = self._front.loader
        return FleetKind.list_of(mount, loader) if loader and isinstance(mount, FleetMount) else None

    def _origin_of(self, each: Mapping[str, Any]) -> RemoteApplication | None:
        number = each["origin"]
        if number is None:
            return None
        if number not in self._origins:
            self._origins[number] = RemoteApplication(self._facts_of(each), self._finder(each["name"]))
        return self._origins[number]

    def _facts_of(self, each: Mapping[str, Any]) -> Facts | None:
        if each["facts"] is None:
            return None
        application = self._applications.setdefault(each["application"], object())
        return from_plain(Facts, each["facts"], application=application)

    def _finder(self, name: str) -> Find:
        def find(request: InnerRequest) -> InnerAnswer | None:
            answer = self._process.call("find", mount=name, request=to_plain(request))
            return None if answer is None else from_plain(InnerAnswer, answer)

        return find


def _error_of(each: Mapping[str, Any]) -> LoadError | None:
    if each["problems"] is None:
        return None
    error = LoadError(*(from_plain(Problem, problem) for problem in each["problems"]))
    error.details = each["traceback"]
    return error
