"""The process of a group while it is asked about its mounts: it loads them, reports, and answers questions."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from multiserve.checks import find_all
from multiserve.checks.capacity import load_of
from multiserve.composition import Composition, compose
from multiserve.config.file import load_config
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.config.processes import for_group
from multiserve.config.source import Source
from multiserve.errors import ConfigError, MultiserveError, raise_for
from multiserve.frameworks import InnerRequest, find_route, with_frameworks
from multiserve.frameworks.reading import salted
from multiserve.loading.mounts import LoadedMount
from multiserve.loading.side_effects import Recorder
from multiserve.plugins.loading import load_plugins
from multiserve.servers.groups.line import Line
from multiserve.survey.looking import Look, interface_for
from multiserve.survey.production import own_problems, problems_of_gunicorn
from multiserve.survey.values import from_plain, to_plain
from multiserve.tracebacks import format_traceback

_ORPHANED = 1


def main() -> None:
    """Report about the mounts of a group: the arguments are the descriptors of the line, and of a pipe."""
    line, lives = Line(socket.socket(fileno=int(sys.argv[1]))), int(sys.argv[2])
    for descriptor in (line.fileno(), lives):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 (positional alone)
    threading.Thread(target=_end_with_parent, args=(lives,), daemon=True).start()
    message = line.wait()
    if message is None:
        return
    order: dict[str, Any] = message[1]
    sys.argv[1:] = [f"group {order['group']}"]  # what tools show
    try:
        with salted(bytes.fromhex(order["salt"])):
            _serve(line, order)
    except MultiserveError as error:
        is_mistake = isinstance(error, ConfigError)
        line.tell("refused", {"problems": to_plain(error.problems), "is_mistake": is_mistake})
    _leave()


def _end_with_parent(lives: int) -> None:
    """Wait for the end of the parent, which has the pipe's only other end, and end as well: an import may hang."""
    os.read(lives, 1)
    os._exit(_ORPHANED)


def _leave() -> None:
    """End even if the applications have left threads running."""
    sys.stdout.flush()
    sys.stderr.flush()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        os._exit(0)


def _serve(line: Line, order: Mapping[str, Any]) -> None:
    config, whole = _read(order)
    config = replace(config, engine=order["engine"])
    recorder = Recorder()

    @contextlib.contextmanager
    def observe(mount: Mount) -> Iterator[None]:
        line.tell("loading", mount.name)
        with recorder.watch(mount.name):
            yield

    is_production = order["production"]
    if order["settings"]:
        raise_for(own_problems(problems_of_gunicorn(config, "wsgi"), config.groups[config.group]))
    interface = order["interface"] or interface_for(config, production=is_production)
    composition = compose(config, observe=observe, interface=interface)
    if order["checks"] and composition.interface == "asgi":
        raise_for(own_problems(problems_of_gunicorn(config, "asgi"), config.groups[config.group]))
    plugins = load_plugins(config)
    recorder.forget_ended_threads()
    look = Look(
        mounts=whole.mounts,
        production=is_production,
        plugins=plugins,
        trusted_proxies=whole.server.trusted_proxies,
        recorder=recorder,
    )
    with with_frameworks(plugins.frameworks):
        line.tell("reading")
        line.tell("report", _report(look, composition, checks=order["checks"]))
        Questions(line, composition).answer()


def _read(order: Mapping[str, Any]) -> tuple[Config, Config]:
    """Return the configuration of the group, or of mounts without one, and that of the file."""
    whole = load_config(Source(Path(order["path"]), tuple(order["targets"])))
    wanted = [mount for mount in whole.mounts if mount.name in order["mounts"]]
    others = tuple(mount for mount in whole.mounts if mount.name not in order["mounts"])
    part = replace(whole, mounts=tuple(wanted), elsewhere=others)
    if not order["group"]:
        return replace(part, server=replace(part.server, middleware=())), whole
    return for_group(part, whole.groups[order["group"]]), whole


def _report(look: Look, composition: Composition, *, checks: bool) -> dict[str, Any]:
    """Return all that is known about the mounts as plain values."""
    subject = look.at(composition)
    origins: dict[int, int] = {}
    applications: dict[int, int] = {}
    mounts = []
    for member in subject.members:
        loaded, facts = member.loaded, member.facts
        mounts.append(
            {
                "name": loaded.mount.name,
                "interface": loaded.interface,
                "problems": to_plain(loaded.error.problems) if loaded.error else None,
                "traceback": format_traceback(loaded.error) if loaded.error else "",
                "facts": to_plain(facts) if facts else None,
                "origin": None if loaded.origin is None else origins.setdefault(id(loaded.origin), len(origins)),
                "application": facts and applications.setdefault(id(facts.application), len(applications)),
                "effects": to_plain(look.recorder.effects[loaded.mount.name]),
            }
        )
    found = find_all(subject, look.plugins.checks.values(), "process") if checks else []
    return {"mounts": mounts, "findings": to_plain(found), "load": to_plain(load_of(subject))}


class Questions:
    """Answers what is asked about the mounts of a process, until nobody asks any more."""

    def __init__(self, line: Line, composition: Composition) -> None:
        """Answer over a line."""
        self._line = line
        self._composition = composition
        self._mounts: dict[str, LoadedMount] = {loaded.mount.name: loaded for loaded in composition.mounts}
        self._stack = contextlib.ExitStack()
        self._probed: Any = None
        self._answers: dict[str, Callable[..., Any]] = {
            "find": self._find,
            "probe": self._probe,
            "ask": self._ask,
            "visit": self._visit,
            "failure_at": self._failure_at,
            "is_static_file": self._is_static_file,
        }

    def answer(self) -> None:
        """Answer until the other end of the line is closed."""
        with self._stack:
            while (message := self._line.wait()) is not None:
                kind, value = message
                self._line.tell("answer", self._answers[kind](**value))

    def _find(self, mount: str, request: Mapping[str, Any]) -> Any:
        """Ask the router of an application."""
        answer = find_route(self._mounts[mount].origin, from_plain(InnerRequest, request))
        return None if answer is None else to_plain(answer)

    def _probe(self) -> str:
        """Start the lifespans, and return the name of the mount whose lifespan blocks all others."""
        from multiserve.probing import validating
        from multiserve.probing.processes import ThisProcess

        self._stack.enter_context(validating())
        self._probed = self._stack.enter_context(ThisProcess(self._composition))
        return str(self._probed.blocker)

    def _ask(self, method: str, url: str, accept: str) -> Any:
        return {"received": _received(self._probed.ask(method, url, accept)), "blocker": self._probed.blocker}

    def _visit(self, url: str) -> Any:
        received, violations = self._probed.visit(url)
        return {"received": _received(received), "violations": violations, "blocker": self._probed.blocker}

    def _failure_at(self, url: str) -> str:
        return str(self._probed.failure_at(url))

    def _is_static_file(self, mount: str, path: str) -> bool:
        return bool(self._probed.is_static_file(mount, path))


def _received(received: Any) -> dict[str, Any]:
    """Return a response as plain values."""
    from multiserve.probing.exchange import describe_error

    return {
        "status": received.status,
        "headers": received.headers,
        "body": bytes(received.body).decode("latin-1"),
        "seconds": received.seconds,
        "error": describe_error(received.error) if received.error else "",
        "is_late": isinstance(received.error, TimeoutError),
    }
