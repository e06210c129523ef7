"""What gunicorn's master in front can be asked over its control socket, and what its page asks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from multiserve.config.tables import did_you_mean
from multiserve.errors import Problem, ServeError
from multiserve.servers.production.control import Reply
from multiserve.servers.production.groups.plan import tell_plan
from multiserve.servers.production.groups.status import describe_server
from multiserve.servers.production.groups.supervised import SupervisedGroup
from multiserve.servers.production.management import Management

_PATIENCE = 10.0  # seconds for workers to say that a mount is in maintenance; they look once a second


class Questions:
    """What can be asked of a master in front."""

    def __init__(self, arbiter: Any, management: Management) -> None:
        """Answer for a master and its management listener."""
        self._arbiter = arbiter
        self._management = management

    @property
    def answers(self) -> dict[str, Callable[..., Reply]]:
        """What answers, by the word that is asked."""
        return {
            "status": self._tell_status,
            "page": self._tell_page,
            "plan": lambda: tell_plan(self._arbiter),
            "reload": self._reload_group,
            "restart": self._restart_group,
            "maintenance": self._maintain,
        }

    def _tell_status(self) -> Reply:
        status = describe_server(self._arbiter)
        return lambda: ("done", status)

    def _tell_page(self) -> Reply:
        page = self._management.page
        return lambda: ("done", page)

    def check(self) -> str:
        """Run check over the file, for the page; called in a thread."""
        file = self._arbiter.app.config.source.file
        if file is None:
            raise ServeError("there is no file to check: the mounts were given on the command line")
        command = [sys.executable, "-m", "multiserve", "check", "--production", "--format", "json", "-c", str(file)]
        return self._management.site.findings.check(command, self._arbiter.cfg.env_orig)

    def _reload_group(self, name: str) -> Reply:
        return self._await(self._arbiter.groups.reload(name, self._arbiter.cfg.graceful_timeout))

    def _restart_group(self, name: str) -> Reply:
        return self._await(self._arbiter.groups.restart(name))

    def _await(self, group: SupervisedGroup) -> Reply:
        def reply() -> tuple[str, Any] | None:
            if group.outcome is None:
                return None
            if group.outcome:
                return "refused", f"the process of the group {group.group.name} stays as it was:\n{group.outcome}"
            return "done", list(group.broken)

        return reply

    def _maintain(self, name: str, state: str, page: str) -> Reply:
        """Put a mount in maintenance if `state` is "on", or end that.

        Raises:
            ServeError: There is no such mount.
        """
        mounts = [mount.name for mount in self._arbiter.app.config.mounts]
        if name not in mounts:
            raise ServeError(Problem(message=f"this server has no mount {name}", hint=did_you_mean(name, mounts)))
        pages = {each: path for each, path in self._arbiter.pages.items() if each != name}
        return self._put_in_maintenance({**pages, name: page} if state == "on" else pages)

    def _put_in_maintenance(self, pages: dict[str, str]) -> Reply:
        self._arbiter.pages = pages
        for generation in (self._arbiter.current, self._arbiter.candidate):
            for member in generation.members.values() if generation else ():
                member.put_in_maintenance(pages)
        deadline = time.monotonic() + _PATIENCE

        def reply() -> tuple[str, Any] | None:
            behind = [pid for pid, each in self._arbiter.current.members.items() if each.is_behind(pages)]
            return None if behind and time.monotonic() < deadline else ("done", behind)

        return reply
