"""The production server: gunicorn, embedded, with the composed application in each of its workers."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from multiserve._types import Interface
from multiserve.composition import Composition, compose, log_failures, refuse_failures
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.dispatch.counting.counts import Counts
from multiserve.dispatchers import count_answers, put_in_maintenance
from multiserve.errors import ConfigError, LoadError, Problem, raise_for
from multiserve.interpreters.borrowing import variables_to_hand_on
from multiserve.servers.addresses import origin
from multiserve.servers.json_log import use_json
from multiserve.servers.production.release import wrong_concurrency
from multiserve.servers.trial import try_in_child

try:
    from gunicorn.app.base import Application
    from gunicorn.config import Config as GunicornConfig  # noqa: TC002 (the variable is read by this import)
except ValueError as error:  # gunicorn reads the variable while it is imported
    raise wrong_concurrency(error) from error

from multiserve.servers.production.raised import Raised
from multiserve.servers.production.readiness import Readiness
from multiserve.servers.production.settings import configure, interface_of, root_of, wrong_worker
from multiserve.tracebacks import format_cause

log = logging.getLogger("gunicorn.error")

# What they raise would end the master; what other hooks raise is a refusal, or the end of one worker.
_MASTERS_HOOKS = ("child_exit", "nworkers_changed", "on_exit", "worker_exit")


class GunicornApplication(Application):  # type: ignore[misc]
    """Gives gunicorn its settings and the application."""

    def __init__(
        self,
        read: Callable[[], Config],
        overrides: Mapping[str, Any],
        announce: Callable[[Config, list[str], list[Mount]], None],
        progress: Callable[[Mount], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
        *,
        tries_first: bool = True,
    ) -> None:
        """Read the configuration, and perhaps try first, in a child process, whether it can be served."""
        self._read = read
        self.overrides = overrides
        self._announce = announce
        self.progress = progress
        self._tries_first = tries_first
        self._environment: dict[str, str] = {}
        self._failed: list[str] = []  # the keys of the mounts that could not be loaded in it
        self.readiness = Readiness()
        self.counts: Counts | None = None  # in a worker that counts what it answers
        self._composition: Composition | None = None  # in a worker, or with `preload_app` in the master
        self.broken: dict[str, str] = {}  # the keys of the mounts that could not be loaded, and why
        super().__init__(prog="multiserve")

    def do_load_config(self) -> None:
        """Read the file and check gunicorn's settings; gunicorn's own version prints and exits.

        Raises:
            MultiserveError: The file is wrong, or the applications must not be served as they are.
        """
        self.config = self._read()
        # Before the settings: hooks may import applications.
        self._environment = {name: value for name, value in self.config.env.items() if name not in os.environ}
        self.enter_environment()
        try:
            self._configure()
        except BaseException:
            self.leave_environment()
            raise

    def _configure(self) -> None:
        self.cfg = checked_settings(self.config, self.overrides)
        self.takes = interface_of(self.cfg)
        if self._tries_first:
            interface, self._failed = try_in_child(self._try_to_load)
            self.cfg = checked_settings(self.config, self.overrides, interface)
        # For SIGUSR2: the second master reads the variables from the file as it is then.
        kept = {name: value for name, value in self.cfg.env_orig.items() if name not in self._environment}
        self.cfg.env_orig = kept | variables_to_hand_on()
        for name in _MASTERS_HOOKS:
            self.cfg.set(name, _contained(name, getattr(self.cfg, name)))
        self.cfg.set("post_fork", _leave_master_before(self.cfg.post_fork))
        self.cfg.set("post_worker_init", self._report_after(self.cfg.post_worker_init))

    def fresh(self) -> GunicornApplication:
        """Read the file again, for SIGHUP; `enter_environment` sets its variables.

        Raises:
            MultiserveError: The file is wrong.
        """
        self.leave_environment()  # the file may set it differently now
        try:
            application = type(self)(self._read, self.overrides, self._announce, tries_first=False)
            application.leave_environment()
        finally:
            self.enter_environment()
        return application

    def enter_environment(self) -> None:
        """Set the variables of the file."""
        os.environ.update(self._environment)

    def leave_environment(self) -> None:
        """Unset the variables of the file."""
        for name in self._environment:
            os.environ.pop(name, None)

    def reload(self) -> None:
        """Do nothing: the arbiter has the application that it asked `fresh` for."""

    def _try_to_load(self) -> tuple[Interface, list[str]]:
        """Return the interface of the composed application and the mounts that fail; raise if it must not be served."""
        composition = self._compose(self.progress)
        refuse_failures(composition)
        return composition.interface, [loaded.mount.name for loaded in composition.failures]

    def _compose(
        self, progress: Callable[[Mount], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    ) -> Composition:
        os.chdir(self.cfg.chdir)  # not before: for SIGUSR2 the master has to stay where it was started
        # A worker for WSGI alone gets what the mounts are, and refuses them if that is ASGI.
        return compose(self.config, interface="asgi" if self.takes == "asgi" else None, observe=progress)

    def load(self) -> Any:
        """Load the application; gunicorn calls this in each worker, or in the master with `preload_app`."""
        if self.config.server.log == "json":
            use_json(self.config)
        logging.getLogger("multiserve").handlers[:] = log.handlers
        if self.config.server.manage:
            self.readiness.raised = Raised()
            self.readiness.raised.watch()
        with _default_signals():
            composition = self._composition = self._compose()
        self.readiness.judge(composition)
        if self.takes == "wsgi" and composition.interface == "asgi":
            problem = wrong_worker(root_of(self.config))
            self.readiness.refuse(str(ConfigError(problem, source=self.config.source.heading)), is_mistake=True)
        self.broken = {each.mount.name: str(each.error) for each in composition.failures}
        self._report_failures(composition)
        self._prepare_maintenance(composition.application)
        return composition.application

    def _report_failures(self, composition: Composition) -> None:
        log_failures(composition, log)
        for loaded in composition.failures if self.readiness.raised else ():
            if loaded.error and self.readiness.raised:
                text = format_cause(loaded.error)
                self.readiness.raised.add("answers 503", text, mount=loaded.mount.name, moment=time.time())

    def _prepare_maintenance(self, dispatcher: Any) -> None:
        page = self.config.server.maintenance_page

        def maintain(pages: Mapping[str, str]) -> None:
            put_in_maintenance(dispatcher, {name: _read_page(own or page) for name, own in pages.items()})

        self.readiness.maintain = maintain
        if self.readiness.pages:
            maintain(self.readiness.pages)

    def _report_after(self, hook: Callable[[Any], None]) -> Callable[[Any], None]:
        """Report readiness once a worker has loaded; multiserve's own worker reports after its lifespans."""

        def join(worker: Any) -> None:
            hook(worker)
            if self.counts is not None and self._composition is not None:
                count_answers(self._composition.application, self.counts)
            if not getattr(worker, "reports_ready_itself", False):
                if self._composition:
                    self._start(self._composition)
                self.readiness.report(worker, self.broken)
                self.readiness.wait(worker)

        return join

    def _start(self, composition: Composition) -> None:
        """Run the start-up functions, in a worker that runs no lifespans."""
        try:
            failed = composition.start(refuse=self.readiness.may_refuse)
        except LoadError as error:
            if not self.readiness.is_alone:
                self.readiness.refuse(str(error))
            log.error("Required, but not started: %s", str(error).splitlines()[0])  # noqa: TRY400 (it has been logged)
            sys.exit(LoadError.exit_code)
        self.broken |= {name: composition.failure_of_start(name) for name in failed}

    def fail_also(self, broken: Mapping[str, str]) -> None:
        """Count mounts of groups among those that have failed.

        Args:
            broken: Why they have, by their names.

        Raises:
            LoadError: No mount is left.
        """
        self._failed += broken
        if broken and len(self._failed) == len(self.config.mounts):
            keys = {mount.name: mount.toml_key for mount in self.config.mounts}
            raise LoadError(*(Problem(key=keys[name], message=why) for name, why in broken.items()))

    def origins_of(self, listeners: list[Any]) -> list[str]:
        """Return the origins of listeners; none for a unix socket."""
        names = [listener.getsockname() for listener in listeners]
        scheme = "https" if self.cfg.is_ssl else "http"
        return [origin(name[0], name[1], scheme) for name in names if isinstance(name, tuple)]

    def announce(self, listeners: list[Any]) -> None:
        """Announce the addresses, now that the ports are known."""
        self._announce(
            self.config,
            self.origins_of(listeners),
            [mount for mount in self.config.mounts if mount.name in self._failed],
        )


def _read_page(path: str | os.PathLike[str] | None) -> str:
    """Return the page of mounts in maintenance; empty, with a warning, if it cannot be read."""
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        log.warning("The page of mounts in maintenance cannot be read: %s", error)
        return ""


def _contained(name: str, hook: Callable[..., Any]) -> Callable[..., None]:
    """Let a hook fail without consequences."""

    @functools.wraps(hook)  # gunicorn counts the parameters
    def contained(*args: Any) -> None:
        try:
            hook(*args)
        except Exception:
            log.exception("The hook %s failed.", name)

    return contained


def _leave_master_before(hook: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """In a new worker, drop what it has of the master, before anything else."""

    def leave(arbiter: Any, worker: Any) -> None:
        arbiter.drop_handlers()
        arbiter.close_others()
        hook(arbiter, worker)

    return leave


@contextlib.contextmanager
def _default_signals() -> Iterator[None]:
    """End the process by the signals that gunicorn turns into SystemExit, which an application that loads would catch.

    SIGTERM is among them: a worker that still loads has nothing to finish.
    """
    ending = (signal.SIGQUIT, signal.SIGABRT, signal.SIGTERM)
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in ending}
    handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.siginterrupt(signal.SIGTERM, False)  # noqa: FBT003 (positional alone); gunicorn has it so


def checked_settings(config: Config, overrides: Mapping[str, Any], interface: Interface = "wsgi") -> GunicornConfig:
    """Return gunicorn's settings, or raise `ConfigError` for all that is wrong with them."""
    # Hooks are named in the file by their dotted names, and imported from the folders that it names.
    sys.path[:0] = [entry for entry in map(str, config.pythonpath) if entry not in sys.path]
    settings, problems = configure(config, overrides, interface)
    raise_for(problems, source=config.source.heading)
    return settings


def problems_of_settings(config: Config, interface: Interface = "wsgi") -> list[Problem]:
    """Return everything that is wrong with gunicorn's settings in a file."""
    try:
        checked_settings(config, {}, interface)
    except ConfigError as error:
        return list(error.problems)
    return []
