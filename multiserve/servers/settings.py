"""gunicorn's settings: the defaults that multiserve changes, the ones it refuses, and a check of every value."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.config import Config as GunicornConfig
from gunicorn.config import Setting

from multiserve.config import Config
from multiserve.errors import Problem
from multiserve.servers.addresses import authority
from multiserve.tables import describe, did_you_mean

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({multiserve.mount}e)s"'

REFUSED = {
    "wsgi_app": "The applications are in [mounts].",
    "paste": "The applications are in [mounts].",
    "raw_paste_global_conf": "The applications are in [mounts].",
    "config": "Write gunicorn's settings here, under their own names.",
    "raw_env": "Write [env] instead.",
    "pythonpath": "Write pythonpath at the top of the file instead.",
    "reload": "Run without --production to reload on changes; send SIGHUP to reload in production.",
    "reload_engine": "Run without --production to reload on changes.",
    "reload_extra_files": "Write extra_files under [development] instead.",
    "check_config": 'Run "multiserve check" instead.',
    "print_config": 'Run "multiserve check" instead.',
    "root_path": "A mount's prefix is its key.",
}

# What gunicorn's validators let pass: kinds of values by the name of the validator.
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "validate_bool": ((bool,), "true or false"),
    "validate_pos_int": ((int,), "a whole number"),
    "validate_http2_stream_limit": ((int,), "a whole number"),
    "validate_http2_window_size": ((int,), "a whole number"),
    "validate_http2_frame_size": ((int,), "a whole number"),
    "validate_list_string": ((list, str), "a list of texts"),
    "validate_string_to_list": ((list, str), "a list of texts"),
    "validate_string_to_addr_list": ((list, str), "a list of texts"),
    "validate_http_protocols": ((list, str), "a list of texts"),
    "validate_dict": ((dict,), "a table"),
    "validate_user": ((str, int), "a name or a number"),
    "validate_group": ((str, int), "a name or a number"),
    "validate_ssl_version": ((int,), "a whole number"),
}
_JOINED = ("validate_string_to_list", "validate_string_to_addr_list", "validate_http_protocols")
_CHOICES = {"loglevel": ("debug", "info", "warning", "error", "critical"), "protocol": ("http", "uwsgi")}
_FILES = ("certfile", "keyfile", "ca_certs", "logconfig", "logconfig_json")
_FOLDERS = ("chdir", "worker_tmp_dir", "tmp_upload_dir")
_WRITTEN = ("pidfile", "accesslog", "errorlog", "control_socket")
_CLASSES = {"worker_class": "gunicorn.workers", "logger_class": "gunicorn.loggers"}


def defaults(config: Config) -> dict[str, Any]:
    """Give the settings that differ from gunicorn's own defaults, each with its reason."""
    given = config.gunicorn
    return {
        "bind": [authority(config.server.host, config.server.port)],
        # One worker is no production; more than a few multiply the memory of every mounted application.
        "workers": int(os.environ.get("WEB_CONCURRENCY") or min(_cores(), 4)),
        # Threads: one slow application must not stop the others, and browsers keep their connections.
        "worker_class": "gthread",
        # More threads gain nothing under the GIL. gunicorn turns sync with threads into gthread, so sync has one.
        "threads": 1 if given.get("worker_class") == "sync" else 4,
        # Browsers reuse a connection for longer than gunicorn's 2 seconds between two clicks.
        "keepalive": 5,
        # A client's SCRIPT_NAME header would move the routing: requests could be smuggled into another mount.
        "forwarder_headers": "",
        # One path per user: a second server would take the socket of the first. On where a path is given.
        "control_socket_disable": "control_socket" not in given,
        # The C parser that "auto" would pick up is laxer with broken requests.
        "http_parser": "python",
        # gunicorn's format, and the mount at its end.
        "access_log_format": ACCESS_LOG_FORMAT,
        "proc_name": "multiserve",
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def configure(config: Config, overrides: Mapping[str, Any]) -> tuple[GunicornConfig, list[Problem]]:
    """Make gunicorn's configuration: defaults, then the file, then the command line.

    Args:
        config: The configuration, of which `[gunicorn]` and `[server]` count.
        overrides: Settings of the command line.

    Returns:
        The configuration, and a problem for every value that is wrong.
    """
    settings = GunicornConfig(prog="multiserve")
    problems: list[Problem] = []
    for name, value in defaults(config).items():
        settings.set(name, value)
    root = f"{config.root}.gunicorn" if config.root else "gunicorn"
    layers = [(f"{root}.{{}}", dict(config.gunicorn)), ("--{}", dict(overrides))]
    for template, layer in layers:
        for name, value in layer.items():
            problem = partial(Problem, key=template.format(name))
            problems.extend(_set(settings, name, value, config.folder, problem))
    if not problems:
        try:
            settings.validate()
        except Exception as error:  # noqa: BLE001 (gunicorn's validators raise what they like)
            problems.append(Problem(key=root, message=_first_line(error)))
    return settings, problems


def _set(settings: GunicornConfig, name: str, value: Any, folder: Path, problem: partial[Problem]) -> Iterator[Problem]:
    """Set one value, and yield what is wrong with it."""
    if name in REFUSED:
        yield problem(message="this setting makes no sense here", hint=REFUSED[name])
        return
    setting = settings.settings.get(name)
    if setting is None:
        known = settings.settings.keys() - REFUSED.keys()
        yield problem(message="gunicorn has no such setting", hint=did_you_mean(name, known))
        return
    found = [problem(message=message, hint=hint) for message, hint in _check(setting, value, folder)]
    yield from found
    if found:
        return
    try:
        settings.set(name, _convert(setting, value, folder))
        if name in _CLASSES:
            util.load_class(value, section=_CLASSES[name])
        if name == "bind":
            _ = settings.address
    except Exception as error:  # noqa: BLE001 (gunicorn's validators raise what they like)
        yield problem(message=f"gunicorn refuses the value: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _validator(setting: Setting) -> str:
    return getattr(setting.validator, "__name__", "")


def _check(setting: Setting, value: Any, folder: Path) -> Iterator[tuple[str, str]]:
    """Check what gunicorn's own validators let pass: types, choices, files."""
    kinds, expected = _KINDS.get(_validator(setting), ((str,), "a text"))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"expected {expected}, found {describe(value)}", ""
        return
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        yield f"expected {expected}, found a list with something else in it", ""
        return
    if "\0" in str(value):
        yield "the text contains a NUL character", "Take the character out."
        return
    yield from _check_meaning(setting.name, str(value), folder)


def _check_meaning(name: str, value: str, folder: Path) -> Iterator[tuple[str, str]]:
    relative = "Paths are relative to the folder of the configuration."
    path = folder / value
    if name in _CHOICES and value not in _CHOICES[name]:
        yield f'"{value}" is not one of the choices', did_you_mean(value, _CHOICES[name])
    if name in _FILES and not path.is_file():
        yield f"there is no file {path}", relative
    if name in _FOLDERS and not path.is_dir():
        yield f"there is no folder {path}", relative
    if name in _WRITTEN and value != "-" and not path.parent.is_dir():
        yield f"there is no folder {path.parent}", "Make the folder first."


def _convert(setting: Setting, value: Any, folder: Path) -> Any:
    """Turn a TOML value into what gunicorn takes: lists into text, relative paths into absolute ones."""
    if _validator(setting) in _JOINED and isinstance(value, list):
        return ",".join(value)
    if setting.name in (*_FILES, *_FOLDERS, *_WRITTEN) and value != "-":
        return str(folder / value)
    if setting.name == "bind":
        return [_absolute_socket(each, folder) for each in ([value] if isinstance(value, str) else value)]
    return value


def _absolute_socket(address: str, folder: Path) -> str:
    if not address.startswith("unix:"):
        return address
    return f"unix:{folder / address.removeprefix('unix:').removeprefix('//')}"
