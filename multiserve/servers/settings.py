"""gunicorn's settings: the defaults that multiserve changes, the ones it refuses, and a check of every value."""

from __future__ import annotations

import inspect
import os
import ssl
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn import glogging, util
from gunicorn.config import Config as GunicornConfig
from gunicorn.config import Setting
from gunicorn.sock import ssl_context
from gunicorn.workers import SUPPORTED_WORKERS

from multiserve.config import Config
from multiserve.errors import ConfigError, Problem
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
    "ssl_version": "gunicorn ignores it: write a hook for ssl_context instead.",
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
}
_JOINED = ("validate_string_to_list", "validate_string_to_addr_list", "validate_http_protocols")
_CHOICES = {
    "loglevel": ("debug", "info", "warning", "error", "critical"),
    "protocol": ("http", "uwsgi"),
    "syslog_facility": tuple(glogging.SYSLOG_FACILITIES),
}
# With none of these gunicorn starts, and serves nobody. Elsewhere zero has a meaning, such as "no limit".
_AT_LEAST_ONE = ("workers", "threads", "worker_connections", "backlog", "dirty_threads")
_LARGEST = {"umask": 0o777, "control_socket_mode": 0o777, "cert_reqs": 2}
_LARGEST_ELSEWHERE = 2**31 - 1  # more overflows in the system calls that take them
_LARGEST_PORT = 65535
_ASGI_WORKERS = ("asgi", SUPPORTED_WORKERS["asgi"])
_WORKERS = tuple(SUPPORTED_WORKERS.keys() - set(_ASGI_WORKERS))
_FILES = ("certfile", "keyfile", "ca_certs", "logconfig", "logconfig_json")
_FOLDERS = ("chdir", "worker_tmp_dir", "tmp_upload_dir")
_WRITTEN = ("pidfile", "accesslog", "errorlog", "control_socket")


def defaults(config: Config) -> dict[str, Any]:
    """Give the settings that differ from gunicorn's own defaults, each with its reason."""
    given = config.gunicorn
    return {
        "bind": [authority(config.server.host, config.server.port)],
        # One worker is no production; more than a few multiply the memory of every mounted application.
        "workers": min(_cores(), 4),
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
    settings = _fresh_settings()
    problems: list[Problem] = []
    root = f"{config.root}.gunicorn" if config.root else "gunicorn"
    layers = [
        ("{}", defaults(config)),
        ("WEB_CONCURRENCY", _concurrency()),
        (f"{root}.{{}}", dict(config.gunicorn)),
        ("--{}", dict(overrides)),
    ]
    for template, layer in layers:
        for name, value in layer.items():
            problem = partial(Problem, key=template.format(name))
            problems.extend(_set(settings, name, value, config.folder, problem))
    if not problems:
        try:
            settings.validate()
            if settings.is_ssl:
                ssl_context(settings)
        except Exception as error:  # noqa: BLE001 (gunicorn's validators raise what they like)
            problems.append(Problem(key=root, message=_reason(error)))
    return settings, problems


def _fresh_settings() -> GunicornConfig:
    try:
        return GunicornConfig(prog="multiserve")
    except ValueError as error:
        problem = Problem(key="FORWARDED_ALLOW_IPS", message=f"gunicorn refuses the value: {_reason(error)}")
        raise ConfigError(problem) from error


def _concurrency() -> dict[str, Any]:
    """Give the workers that the environment asks for; gunicorn has refused a text that is no number."""
    text = os.environ.get("WEB_CONCURRENCY")
    return {"workers": int(text)} if text else {}


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
    try:
        found = [problem(message=message, hint=hint) for message, hint in _check(setting, value, folder)]
        yield from found
        if not found:
            settings.set(name, _convert(setting, value, folder))
            _use(settings, name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (validators, hooks and classes raise what they like)
        yield problem(message=f"gunicorn refuses the value: {_reason(error)}")


def _use(settings: GunicornConfig, name: str) -> None:
    """Do with a value what gunicorn does with it later, so that what fails fails now."""
    value = settings.settings[name].get()
    if name == "bind":
        _check_ports(settings.address)
    elif name == "statsd_host":
        _check_ports([value])
    elif name == "worker_class":
        _check_class(util.load_class(value))
    elif name == "logger_class":
        _check_class(settings.logger_class)
    elif name == "access_log_format":
        _ = value % defaultdict(int)
    elif name == "ciphers":
        ssl.create_default_context().set_ciphers(value)
    elif name == "syslog_addr":
        glogging.parse_syslog_address(value)


def _check_ports(addresses: list[Any]) -> None:
    for address in addresses:
        if isinstance(address, tuple) and not 0 <= address[1] <= _LARGEST_PORT:
            raise ValueError(f"{address[1]} is no port")


def _check_class(found: Any) -> None:
    if not inspect.isclass(found):
        raise TypeError(f"{found!r} is not a class")


def _reason(error: BaseException) -> str:
    """Say in one line what an exception says; where its text holds a whole traceback, by its ends."""
    first, *others = [line for line in str(error).splitlines() if line.strip(" ]")] or [type(error).__name__]
    return f"{first.rstrip(': ')}: {others[-1]}" if others else first.strip()


def _validator(setting: Setting) -> str:
    return getattr(setting.validator, "__name__", "")


def _check(setting: Setting, value: Any, folder: Path) -> Iterator[tuple[str, str]]:
    """Check what gunicorn's own validators let pass: types, choices, files."""
    kinds, expected = _KINDS.get(_validator(setting), ((str,), "a text"))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"expected {expected}, found {describe(value)}", ""
    elif isinstance(value, list) and not all(isinstance(each, str) for each in value):
        yield f"expected {expected}, found a list with something else in it", ""
    elif isinstance(value, int):
        yield from _check_number(setting.name, value)
    elif "\0" in str(value):
        yield "the text contains a NUL character", "Take the character out."
    else:
        yield from _check_meaning(setting.name, value, folder)


def _check_number(name: str, value: int) -> Iterator[tuple[str, str]]:
    smallest, largest = int(name in _AT_LEAST_ONE), _LARGEST.get(name, _LARGEST_ELSEWHERE)
    if value < smallest:
        yield f"{value} is too small: at least {smallest}", ""
    elif value > largest:
        yield f"{value} is too large: at most {largest}", ""


def _check_meaning(name: str, value: Any, folder: Path) -> Iterator[tuple[str, str]]:
    if name in _CHOICES and value not in _CHOICES[name]:
        yield f'"{value}" is not one of the choices', did_you_mean(value, _CHOICES[name])
    elif name == "bind" and not (value and all(value)):
        yield "there is no address", 'Write HOST:PORT, or unix:PATH, such as "127.0.0.1:8000".'
    elif name == "bind":
        yield from _check_sockets([value] if isinstance(value, str) else value, folder)
    elif name == "secure_scheme_headers" and not all(isinstance(each, str) for each in value.values()):
        yield "expected a table of texts, found something else in it", ""
    elif name == "worker_class" and value in _ASGI_WORKERS:
        yield "this worker serves ASGI applications, which this version cannot mount", 'Write "gthread".'
    elif name == "worker_class" and value.isidentifier() and value not in _WORKERS:
        yield f'"{value}" is not one of the choices', did_you_mean(value, _WORKERS)
    elif name in (*_FILES, *_FOLDERS, *_WRITTEN) and value != "-":
        yield from _check_path(name, folder / value)


def _check_sockets(addresses: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    for address in addresses:
        parent = Path(_absolute_socket(address, folder).removeprefix("unix:")).parent
        if address.startswith("unix:") and not parent.is_dir():
            yield f"there is no folder {parent}", "Make the folder first."


def _check_path(name: str, path: Path) -> Iterator[tuple[str, str]]:
    relative = "Paths are relative to the folder of the configuration."
    if name in _FILES and not path.is_file():
        yield f"there is no file {path}", relative
    elif name in _FOLDERS and not path.is_dir():
        yield f"there is no folder {path}", relative
    elif name in _WRITTEN and not path.parent.is_dir():
        yield f"there is no folder {path.parent}", "Make the folder first."
    elif name in _WRITTEN and path.is_dir():
        yield f"{path} is a folder", "Name a file."


def _convert(setting: Setting, value: Any, folder: Path) -> Any:
    """Turn a TOML value into what gunicorn takes: lists into text, relative paths into absolute ones."""
    if _validator(setting) in _JOINED and isinstance(value, list):
        return ",".join(value)
    if setting.name in (*_FILES, *_FOLDERS, *_WRITTEN) and value != "-":
        return str(folder / value)
    if setting.name == "bind":
        return [_absolute_socket(each, folder) for each in ([value] if isinstance(value, str) else value)]
    return value


def absolute(overrides: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths of the command line absolute: they start from the folder where the command was given."""
    addresses = overrides.get("bind")
    return {**overrides, **({"bind": [_absolute_socket(each, folder) for each in addresses]} if addresses else {})}


def _absolute_socket(address: str, folder: Path) -> str:
    if not address.startswith("unix:"):
        return address
    return f"unix:{folder / address.removeprefix('unix:').removeprefix('//')}"
