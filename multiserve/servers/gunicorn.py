"""The production server: gunicorn, embedded, with the composed application in each of its workers."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from multiserve._types import Interface
from multiserve.assembly import Assembly, log_failures, refuse_failures
from multiserve.config import Config
from multiserve.errors import ConfigError, MultiserveError, Problem, ServeError, raise_for
from multiserve.servers.addresses import bind, origin
from multiserve.servers.rehearsal import rehearse

try:
    from gunicorn import debug, util
    from gunicorn.app.base import Application
    from gunicorn.arbiter import Arbiter
    from gunicorn.config import Config as GunicornConfig  # noqa: TC002 (the variable is read by this import)
    from gunicorn.errors import HaltServer
except ValueError as error:  # gunicorn reads the variable while it is imported
    raise ConfigError(Problem(key="WEB_CONCURRENCY", message=f"not a number of workers: {error}")) from error

from multiserve.servers.settings import absolute, configure, interface_of

log = logging.getLogger("gunicorn.error")

_LONGEST_RELOAD = 300  # seconds; the workers go on meanwhile, but other signals wait
_PAUSE = 5  # seconds between two attempts to start a worker in place of one that could not start


def serve(
    read: Callable[[], Config],
    load: Callable[..., Assembly],
    overrides: Mapping[str, Any],
    announce: Callable[[Config, list[str]], None],
) -> None:
    """Serve until stopped by a signal; the signals are gunicorn's.

    Args:
        read: Read the configuration; called again for each SIGHUP.
        load: Load the applications, in each worker, and compose them for an interface.
        overrides: Settings of the command line.
        announce: Tell the user, given the origins such as `http://127.0.0.1:8000`; a unix socket has none.

    Raises:
        ConfigError: The file, or a setting of gunicorn, is wrong.
        LoadError: A failure must not be served around.
        ServeError: An address cannot be bound.
    """
    application = GunicornApplication(read, load, absolute(overrides, Path.cwd()), announce)
    _check_addresses(application)
    try:
        application.run()
    except Exception as error:
        # Once the workers run, gunicorn's loop lets no exception out: this is the start.
        message = f"gunicorn cannot start: {str(error).strip() or type(error).__name__}"
        raise ServeError(message) from error


class GunicornApplication(Application):  # type: ignore[misc]
    """What gunicorn asks for its settings and for the application."""

    def __init__(
        self,
        read: Callable[[], Config],
        load: Callable[..., Assembly],
        overrides: Mapping[str, Any],
        announce: Callable[[Config, list[str]], None],
        longest_rehearsal: int = 0,
    ) -> None:
        """Read the configuration, and rehearse for so many seconds at most; 0 for as long as it takes."""
        self._read = read
        self._load = load
        self._overrides = overrides
        self._announce = announce
        self._longest_rehearsal = longest_rehearsal
        self.is_first = True  # the master has started with it; one that SIGHUP brings is not the first
        self._environment: dict[str, str] = {}
        super().__init__(prog="multiserve")

    def do_load_config(self) -> None:
        """Read the file, check gunicorn's settings, and rehearse; gunicorn's own version prints and exits.

        Raises:
            MultiserveError: The file is wrong, or the applications must not be served as they are.
        """
        self.config = self._read()
        # Before the settings: hooks may import applications.
        self._environment = {name: value for name, value in self.config.env.items() if name not in os.environ}
        os.environ.update(self._environment)
        self.cfg = checked_settings(self.config, self._overrides)
        spoken = rehearse(self._rehearse, seconds=self._longest_rehearsal)
        self.cfg = checked_settings(self.config, self._overrides, spoken)
        self.interface = interface_of(self.cfg) or spoken

    def fresh(self) -> GunicornApplication:
        """Read the file again, for SIGHUP.

        Raises:
            MultiserveError: The file is wrong, or has nothing to serve: the running workers are better.
        """
        before = dict(os.environ)
        for name in self._environment:  # the file may set it differently now
            os.environ.pop(name, None)
        try:
            application = type(self)(self._read, self._load, self._overrides, self._announce, _LONGEST_RELOAD)
        except MultiserveError:
            os.environ.clear()
            os.environ.update(before)
            raise
        application.is_first = False
        return application

    def reload(self) -> None:
        """Do nothing: the arbiter has the application that it asked `fresh` for."""

    def _rehearse(self) -> Interface:
        """Find out what the mounts speak, and raise if they must not be served; the workers serve what there is."""
        assembly = self._assemble(None)
        refuse_failures(assembly)
        return assembly.interface

    def _assemble(self, interface: Interface | None) -> Assembly:
        os.chdir(self.cfg.chdir)  # not before: for SIGUSR2 the master has to stay where it was started
        return self._load(self.config, interface=interface)

    def load(self) -> Any:
        """Load the application; gunicorn calls this in each worker, or in the master with `preload_app`."""
        logging.getLogger("multiserve").handlers[:] = log.handlers
        with _default_signals():
            assembly = self._assemble(self.interface)
        log_failures(assembly, log)
        return assembly.application

    def announce(self, listeners: list[Any]) -> None:
        """Tell the user, now that the ports are known."""
        names = [listener.getsockname() for listener in listeners]
        scheme = "https" if self.cfg.is_ssl else "http"
        self._announce(self.config, [origin(name[0], name[1], scheme) for name in names if isinstance(name, tuple)])

    def run(self) -> None:
        """Run the arbiter."""
        if self.cfg.spew:
            debug.spew()
        if self.cfg.daemon:
            util.daemonize(self.cfg.enable_stdio_inheritance)
        folder = Path.cwd()
        arbiter = CarefulArbiter(self)
        # For SIGUSR2 gunicorn starts sys.argv[0] anew, which for `python -m` is a file inside the package.
        arbiter.START_CTX |= {"args": [sys.executable, *sys.orig_argv[1:]], "cwd": str(folder)}
        arbiter.run()


class CarefulArbiter(Arbiter):  # type: ignore[misc]
    """An arbiter that announces itself, and that leaves its workers alone when there is nothing better for SIGHUP."""

    app: GunicornApplication
    _first_generation = 0  # workers were started together, before any was replaced
    _is_halting = False
    _next_attempt = 0.0  # time.monotonic() at which workers may be started again

    def start(self) -> None:
        """Bind the addresses and announce them."""
        super().start()
        self._first_generation = self.cfg.workers
        self.app.announce(self.LISTENERS)

    def reload(self) -> None:
        """Replace the workers by workers of the configuration as it is now."""
        try:
            application = self.app.fresh()
            _check_addresses(application, ours=self.cfg.address)
        except MultiserveError as error:
            self.log.error("The workers stay as they were:\n%s", error)  # noqa: TRY400 (it is the user's mistake)
        else:
            self.app = application
            self._next_attempt = 0.0
            super().reload()

    def halt(self, *args: Any, **options: Any) -> None:
        """Stop; workers that fail meanwhile change nothing."""
        self._is_halting = True
        super().halt(*args, **options)

    def reap_workers(self) -> None:
        """Stop everything if a worker cannot start, but only at first: a service that was up is not taken down."""
        while True:
            try:
                super().reap_workers()
            except HaltServer as reason:
                if self._is_halting:
                    continue  # another worker that failed like the first
                if self.worker_age <= self._first_generation:
                    raise
                self._next_attempt = time.monotonic() + _PAUSE
                self.log.error("%s Another one starts in %d s.", reason.reason, _PAUSE)  # noqa: TRY400 (it has said why)
            else:
                return

    def manage_workers(self) -> None:
        """Start and stop workers until they are as many as they should be."""
        if time.monotonic() >= self._next_attempt:
            super().manage_workers()


@contextlib.contextmanager
def _default_signals() -> Iterator[None]:
    """End the process by the signals that gunicorn turns into SystemExit: an application that loads would catch it."""
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGQUIT, signal.SIGABRT)}
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in {**handlers, signal.SIGINT: interrupt}.items():
            signal.signal(number, handler)


def _check_addresses(application: GunicornApplication, ours: Sequence[Any] = ()) -> None:
    """Raise `ServeError` for an address that cannot be bound; gunicorn would try for five seconds, and exit."""
    our_ports = {address[1] for address in ours if isinstance(address, tuple)}  # gunicorn closes them before it binds
    inherited = "GUNICORN_FD" in os.environ or "LISTEN_FDS" in os.environ
    if inherited or application.cfg.reuse_port:
        return
    for address in application.cfg.address:
        if isinstance(address, tuple) and address[1] not in our_ports:
            bind(*address).close()
        elif isinstance(address, str):
            _check_socket(Path(address))


def _check_socket(path: Path) -> None:
    """Raise `ServeError` for what gunicorn would stumble over; a socket that is there already, it replaces."""
    if path.exists() and not path.is_socket():
        raise ServeError(Problem(message=f"cannot listen on unix:{path}: something else is there"))


def checked_settings(config: Config, overrides: Mapping[str, Any], interface: Interface = "wsgi") -> GunicornConfig:
    """Give gunicorn's settings, or raise `ConfigError` for all that is wrong with them."""
    # Hooks are named in the file by their dotted names, and imported from the folders that it names.
    sys.path[:0] = [entry for entry in map(str, config.pythonpath) if entry not in sys.path]
    settings, problems = configure(config, overrides, interface)
    raise_for(problems, source=str(config.path))
    return settings


def problems_of_settings(config: Config, interface: Interface = "wsgi") -> list[Problem]:
    """Give everything that is wrong with gunicorn's settings in a file."""
    try:
        checked_settings(config, {}, interface)
    except ConfigError as error:
        return list(error.problems)
    return []
