"""Serves in production: checks the addresses, and runs gunicorn."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from gunicorn import debug, util

from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.errors import MultiserveError, ServeError
from multiserve.servers.engine.release import check_release
from multiserve.servers.groups.reading import Reading
from multiserve.servers.production.application import GunicornApplication, log
from multiserve.servers.production.groups.front import FrontArbiter
from multiserve.servers.production.groups.supervisor import Groups
from multiserve.servers.production.held_signals import held_signals
from multiserve.servers.production.listeners import check_addresses
from multiserve.servers.production.settings import absolute
from multiserve.servers.production.systemd import Systemd
from multiserve.servers.production.temporary_folder import check_temporary_folder


def serve(
    reading: Reading,
    overrides: Mapping[str, Any],
    announce: Callable[[Config, list[str], list[Mount]], None],
    progress: Callable[[Mount], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Serve until stopped by a signal; the signals are gunicorn's.

    Args:
        reading: What the configuration is read from, again for each SIGHUP.
        overrides: Settings of the command line.
        announce: Tell the user, given the origins such as `http://127.0.0.1:8000`, of which a unix socket has none, and
            the mounts that have failed.
        progress: Show that a mount is being loaded, before the server starts.

    Raises:
        ConfigError: The file, or a setting of gunicorn, is wrong.
        LoadError: A failure must not be served around.
        ServeError: An address cannot be bound, or there is no folder for temporary files.
    """
    check_release()
    with held_signals() as release:

        def announce_ready(config: Config, origins: list[str], failed: list[Mount]) -> None:
            release()  # gunicorn's handlers are in place
            announce(config, origins, failed)

        systemd = Systemd(os.environ)  # before anything is started from here
        groups = Groups(reading, dict(os.environ), log)
        try:
            application = GunicornApplication(groups.read, absolute(overrides, Path.cwd()), announce_ready, progress)
            check_addresses(application.cfg)
            check_temporary_folder(application.cfg)
            _run(application, groups, systemd)
        except MultiserveError:
            raise
        except Exception as error:
            # Once the workers run, gunicorn's loop lets no exception out: this is the start.
            message = f"gunicorn cannot start: {str(error).strip() or type(error).__name__}"
            raise ServeError(message) from error
        finally:
            groups.stop(0.0)


def _run(application: GunicornApplication, groups: Groups, systemd: Systemd) -> None:
    """Run gunicorn's master."""
    if application.cfg.spew:
        debug.spew()
    if application.cfg.daemon:
        util.daemonize(application.cfg.enable_stdio_inheritance)
    folder = Path.cwd()
    arbiter = FrontArbiter(application, groups, systemd)
    # For SIGUSR2 gunicorn starts sys.argv[0] anew, which for `python -m` is a file inside the package.
    arbiter.START_CTX |= {"args": [sys.executable, *sys.orig_argv[1:]], "cwd": str(folder)}
    arbiter.run()
