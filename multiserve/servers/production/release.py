"""What the production server leans on in gunicorn."""

from __future__ import annotations

import gunicorn  # noqa: F401 (where it is not installed, that is the error)

from multiserve.errors import ConfigError, Problem
from multiserve.servers.releases import check_releases

FITTING = "gunicorn>=22"

# Class or function -> what is called, overridden, read or set, beyond what gunicorn documents.
USED: dict[tuple[str, str], tuple[str, ...]] = {
    ("gunicorn.arbiter", "Arbiter"): (
        *("app", "cfg", "log", "pid", "pidfile", "address", "proc_name", "timeout", "worker_class"),
        *("LISTENERS", "START_CTX", "WORKERS", "num_workers", "_num_workers", "worker_age"),
        *("start", "run", "stop", "halt", "reload", "reexec", "maybe_promote_master"),
        *("spawn_worker", "manage_workers", "reap_workers", "kill_worker", "handle_chld", "wakeup"),
        "wait_for_signals|sleep",
        *("master_pid", "reexec_pid"),
    ),
    ("gunicorn.workers.base", "Worker"): (
        *("SIGNALS", "alive", "app", "cfg", "log", "max_requests", "nr", "ppid", "sockets", "tmp"),
        *("init_process", "init_signals", "load_wsgi", "notify", "run"),
    ),
    ("gunicorn.app.base", "Application"): ("cfg", "do_load_config", "load", "reload", "wsgi"),
    ("gunicorn.config", "Config"): (
        *("address", "env_orig", "is_ssl", "logger_class", "set", "settings", "worker_class", "worker_class_str"),
    ),
    ("gunicorn.config", "ForwardedAllowIPS"): ("default",),
    ("gunicorn.glogging", "Logger"): ("access", "access_log", "atoms", "error_log", "reopen_files", "setup"),
    ("gunicorn.glogging", "SYSLOG_FACILITIES"): (),
    ("gunicorn.glogging", "parse_syslog_address"): (),
    ("gunicorn.pidfile", "Pidfile"): ("create", "fname", "unlink"),
    ("gunicorn.sock", "_sock_type"): (),
    ("gunicorn.sock", "close_sockets"): (),
    ("gunicorn.sock", "ssl_context"): (),
    ("gunicorn.util", "_setproctitle"): (),
    ("gunicorn.util", "daemonize"): (),
    ("gunicorn.util", "load_class"): (),
    ("gunicorn.errors", "HaltServer"): (),
    ("gunicorn.debug", "spew"): (),
    ("gunicorn.workers", "SUPPORTED_WORKERS"): (),
}


def check_release() -> None:
    """Check that the installed release has what the production server leans on.

    Raises:
        ServeError: It lacks something.
        ConfigError: A variable of the environment is wrong, which gunicorn reads while it is imported.
    """
    try:
        check_releases(USED, ("gunicorn",), FITTING)
    except ValueError as error:
        raise wrong_concurrency(error) from error


def wrong_concurrency(error: ValueError) -> ConfigError:
    """Return what is wrong where the import of gunicorn's settings raises."""
    return ConfigError(Problem(key="WEB_CONCURRENCY", message=f"not a number of workers: {error}"))
