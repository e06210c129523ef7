"""The production server: gunicorn, embedded, with the composed application in each of its workers."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.app.base import Application
from gunicorn.arbiter import Arbiter

from multiserve._types import WSGIApplication
from multiserve.assembly import Assembly, may_refuse, refuse_failures
from multiserve.config import Config
from multiserve.errors import LoadError, MultiserveError, Problem, ServeError, raise_for
from multiserve.loader import format_cause
from multiserve.servers.addresses import bind
from multiserve.servers.rehearsal import rehearse
from multiserve.servers.settings import configure

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
        announce: Tell the user, given the addresses such as `127.0.0.1:8000`.

    Raises:
        ConfigError: The file, or a setting of gunicorn, is wrong.
        LoadError: A failure must not be served around.
        ServeError: An address cannot be bound.
    """
    application = GunicornApplication(read, load, overrides)
    config = application.config
    if may_refuse(config):
        rehearse(lambda: refuse_failures(load(config)))
    _check_addresses(application)
    announce(config, list(application.cfg.settings["bind"].get()))
    application.run()


class GunicornApplication(Application):  # type: ignore[misc]
    """What gunicorn asks for its settings and for the application."""

    def __init__(
        self,
        read: Callable[[], Config],
        load: Callable[[Config], Assembly],
        overrides: Mapping[str, Any],
    ) -> None:
        """Read the configuration."""
        self._read = read
        self._load = load
        self._overrides = overrides
        super().__init__(prog="multiserve")

    def do_load_config(self) -> None:
        """Read the file and check gunicorn's settings; gunicorn's own version prints and exits."""
        config = self._read()
        # Hooks are named in the file by their dotted names, and imported from the folders that it names.
        sys.path[:0] = [entry for entry in map(str, config.pythonpath) if entry not in sys.path]
        cfg, problems = configure(config, self._overrides)
        raise_for(problems, source=str(config.path))
        self.config, self.cfg = config, cfg
        os.chdir(cfg.chdir)

    def reload(self) -> None:
        """Read the file again for SIGHUP; a wrong one is refused and the old configuration stays."""
        try:
            super().reload()
        except MultiserveError as error:
            log.error("The configuration stays as it was:\n%s", error)  # noqa: TRY400 (it is the user's mistake)

    def load(self) -> WSGIApplication:
        """Load the application; gunicorn calls this in each worker, or in the master with `preload_app`."""
        assembly = self._load(self.config)
        try:
            refuse_failures(assembly)
        except LoadError as error:
            log.error("Nothing to serve:\n%s", error)  # noqa: TRY400 (the problems say it all)
            sys.exit(LoadError.exit_code)
        for loaded in assembly.failures:
            if loaded.error:
                log.error("%s answers 503:\n%s", loaded.mount.key, format_cause(loaded.error))
        return assembly.application

    def run(self) -> None:
        """Run the arbiter."""
        if self.cfg.daemon:
            util.daemonize(self.cfg.enable_stdio_inheritance)
        arbiter = Arbiter(self)
        # For SIGUSR2 gunicorn starts sys.argv[0] anew, which for `python -m` is a file inside the package.
        arbiter.START_CTX["args"] = [sys.executable, *sys.orig_argv[1:]]
        arbiter.run()


def _check_addresses(application: GunicornApplication) -> None:
    """Raise `ServeError` for an address that cannot be bound; gunicorn would try for five seconds, and exit."""
    inherited = "GUNICORN_FD" in os.environ or "LISTEN_FDS" in os.environ
    if inherited or application.cfg.reuse_port:
        return
    for address in application.cfg.address:
        if isinstance(address, tuple):
            bind(*address).close()
        elif isinstance(address, str) and not Path(address).parent.is_dir():
            folder = Path(address).parent
            raise ServeError(Problem(message=f"cannot listen on unix:{address}: there is no folder {folder}"))


def check_settings(config: Config, overrides: Mapping[str, Any] | None = None) -> None:
    """Raise for every setting of gunicorn that is wrong.

    Raises:
        ConfigError: With all of them.
    """
    _, problems = configure(config, overrides or {})
    raise_for(problems, source=str(config.path))
