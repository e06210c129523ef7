"""The production server: gunicorn, embedded, with the composed application in each of its workers."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from multiserve._types import WSGIApplication
from multiserve.assembly import Assembly, may_refuse, refuse_failures
from multiserve.config import Config
from multiserve.errors import ConfigError, LoadError, MultiserveError, Problem, ServeError, raise_for
from multiserve.loader import format_cause
from multiserve.servers.addresses import bind, origin
from multiserve.servers.rehearsal import rehearse

try:
    from gunicorn import debug, util
    from gunicorn.app.base import Application
    from gunicorn.arbiter import Arbiter
    from gunicorn.config import Config as GunicornConfig  # noqa: TC002 (the variable is read by this import)
except ValueError as error:  # gunicorn reads the variable while it is imported
    raise ConfigError(Problem(key="WEB_CONCURRENCY", message=f"not a number of workers: {error}")) from error

from multiserve.servers.settings import absolute, configure

log = logging.getLogger("gunicorn.error")


def serve(
    read: Callable[[], Config],
    load: Callable[[Config], Assembly],
    overrides: Mapping[str, Any],
    announce: Callable[[Config, list[str]], None],
) -> None:
    """Serve until stopped by a signal; the signals are gunicorn's.

    Args:
        read: Read the configuration; called again for each SIGHUP.
        load: Load the applications, in each worker.
        overrides: Settings of the command line.
        announce: Tell the user, given the origins such as `http://127.0.0.1:8000`; a unix socket has none.

    Raises:
        ConfigError: The file, or a setting of gunicorn, is wrong.
        LoadError: A failure must not be served around.
        ServeError: An address cannot be bound.
    """
    application = GunicornApplication(read, load, absolute(overrides, Path.cwd()), announce)
    if may_refuse(application.config):
        application.rehearse()
    _check_addresses(application)
    try:
        application.run()
    except Exception as error:
        # Once the workers run, gunicorn's loop lets no exception out: this is the start.
        message = f"gunicorn cannot start: {str(error).strip() or type(error).__name__}"
        raise ServeError(Problem(message=message)) from error


class GunicornApplication(Application):  # type: ignore[misc]
    """What gunicorn asks for its settings and for the application."""

    def __init__(
        self,
        read: Callable[[], Config],
        load: Callable[[Config], Assembly],
        overrides: Mapping[str, Any],
        announce: Callable[[Config, list[str]], None],
    ) -> None:
        """Read the configuration."""
        self._read = read
        self._load = load
        self._overrides = overrides
        self._announce = announce
        super().__init__(prog="multiserve")

    def do_load_config(self) -> None:
        """Read the file and check gunicorn's settings; gunicorn's own version prints and exits."""
        config = self._read()
        self.config, self.cfg = config, checked_settings(config, self._overrides)

    def fresh(self) -> GunicornApplication:
        """Read the file again, for SIGHUP.

        Raises:
            MultiserveError: The file is wrong, or has nothing to serve: the running workers are better.
        """
        application = GunicornApplication(self._read, self._load, self._overrides, self._announce)
        application.rehearse()
        return application

    def reload(self) -> None:
        """Do nothing: the arbiter has the application that it asked `fresh` for."""

    def rehearse(self) -> None:
        """Raise what would keep the workers from loading the application, in no more time than they have."""
        rehearse(lambda: refuse_failures(self._assemble()), seconds=self.cfg.timeout)

    def _assemble(self) -> Assembly:
        os.chdir(self.cfg.chdir)  # not before: for SIGUSR2 the master has to stay where it was started
        return self._load(self.config)

    def load(self) -> WSGIApplication:
        """Load the application; gunicorn calls this in each worker, or in the master with `preload_app`."""
        assembly = self._assemble()
        try:
            refuse_failures(assembly)
        except LoadError as error:
            log.error("Nothing to serve:\n%s", error)  # noqa: TRY400 (the problems say it all)
            sys.exit(LoadError.exit_code)
        for loaded in assembly.failures:
            if loaded.error:
                log.error("%s answers 503:\n%s", loaded.mount.key, format_cause(loaded.error))
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

    def start(self) -> None:
        """Bind the addresses and announce them."""
        super().start()
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
            super().reload()


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
    if not path.parent.is_dir():
        raise ServeError(Problem(message=f"cannot listen on unix:{path}: there is no folder {path.parent}"))
    if path.exists() and not path.is_socket():
        raise ServeError(Problem(message=f"cannot listen on unix:{path}: something else is there"))


def check_settings(config: Config, overrides: Mapping[str, Any] | None = None) -> None:
    """Raise for every setting of gunicorn that is wrong.

    Raises:
        ConfigError: With all of them.
    """
    checked_settings(config, overrides or {})


def checked_settings(config: Config, overrides: Mapping[str, Any]) -> GunicornConfig:
    """Give gunicorn's settings, or raise `ConfigError` for all that is wrong with them."""
    # Hooks are named in the file by their dotted names, and imported from the folders that it names.
    sys.path[:0] = [entry for entry in map(str, config.pythonpath) if entry not in sys.path]
    settings, problems = configure(config, overrides)
    raise_for(problems, source=str(config.path))
    return settings
