"""gunicorn's settings: the defaults that multiserve changes, the ones it refuses, and a check of every value."""

from __future__ import annotations

import inspect
import os
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn import glogging, util
from gunicorn.config import Config as GunicornConfig
from gunicorn.config import ForwardedAllowIPS
from gunicorn.sock import ssl_context

from multiserve._types import Interface
from multiserve.config.model import Config
from multiserve.config.tables import did_you_mean
from multiserve.errors import ConfigError, Problem
from multiserve.hosts import HIGHEST_PORT, authority
from multiserve.servers.addresses import absolute_socket
from multiserve.servers.engine.settings import EngineSettings
from multiserve.servers.production.access_log import ACCESS_LOG_FORMAT
from multiserve.servers.production.cores import usable_cores
from multiserve.servers.production.loggers import logger_class_for, refuse_formats
from multiserve.servers.production.setting_values import check, convert

_TRUSTED_PROXIES = "Write trusted_proxies under [server] instead."
_ALL_SETTINGS = "They are at https://docs.gunicorn.org/en/stable/settings.html"
WORKER = "multiserve.servers.production.worker.Worker"

# [server] trusted_proxies says which proxies are trusted, and the dispatcher trusts them. gunicorn trusts none: it
# would trust every client of a unix socket, and a client's SCRIPT_NAME header could move a request into another mount.
TRUST: dict[str, Any] = {"forwarded_allow_ips": "", "secure_scheme_headers": {}, "forwarder_headers": ""}

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
    **dict.fromkeys(("forwarded_allow_ips", "secure_scheme_headers", "forwarder_headers"), _TRUSTED_PROXIES),
}

ForwardedAllowIPS.default = ""  # it has been read from the environment, which must not matter
_LOCAL_PROXIES = "127.0.0.1,::1"  # who may speak HTTP/2 without TLS, if there is a proxy; it is gunicorn's own default

# The modules of the classes that workers derive from, by what their applications speak; uvicorn_worker is one, too.
_WORKER_MODULES: dict[Interface, tuple[str, ...]] = {
    "asgi": ("gunicorn.workers.gasgi", "uvicorn", "multiserve.servers.production.worker"),
    "wsgi": tuple(f"gunicorn.workers.{name}" for name in ("base_async", "gthread", "gtornado", "sync")),
}


_NAME_ASGI = 'Write worker_class = "asgi": a worker of gunicorn itself.'
_NAME_GTHREAD = 'Write worker_class = "gthread", a worker of gunicorn itself, if all mounts are WSGI.'

# What multiserve's worker does not have, and must not ignore: whether a value asks for it, and what to do instead.
UNHEEDED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "http_protocols": (lambda value: set(value) != {"h1"}, _NAME_ASGI),
    "proxy_protocol": (lambda value: value not in ("off", False), _NAME_ASGI),
    "protocol": (lambda value: value != "http", _NAME_ASGI),
    "header_map": (lambda value: value != "drop", _NAME_ASGI),
    "threads": (lambda value: value > 1, "Write threads on a mount: each one has threads of its own, 4 by default."),
    "sendfile": (bool, _NAME_GTHREAD),
    **dict.fromkeys(
        (
            "permit_obsolete_folding",
            "strip_header_spaces",
            "permit_unconventional_http_method",
            "permit_unconventional_http_version",
            "casefold_http_method",
        ),
        (bool, _NAME_ASGI),
    ),
}


def defaults(config: Config) -> dict[str, Any]:
    """Return the settings that differ from gunicorn's own defaults, each with its reason."""
    given = config.gunicorn
    return {
        "bind": [authority(config.server.host, config.server.port)],
        # One worker is no production; more than a few multiply the memory of every mounted application.
        "workers": min(usable_cores(), 4),
        "worker_class": WORKER,
        # For gunicorn's own threads: one slow application must not stop the others. In ours each mount has its own.
        "threads": 4 if given.get("worker_class") == "gthread" else 1,
        # Browsers reuse a connection for longer than gunicorn's 2 seconds between two clicks.
        "keepalive": 5,
        # What most servers and proxies take; gunicorn's own default is half of it.
        "limit_request_line": EngineSettings().longest_line,
        # One path per user: a second server would take the socket of the first. On where a path is given.
        "control_socket_disable": "control_socket" not in given,
        # For gunicorn's own workers: the C parser that "auto" would pick up is laxer with broken requests.
        "http_parser": "python",
        # gunicorn's format, and the mount at its end.
        "access_log_format": ACCESS_LOG_FORMAT,
        "proc_name": "multiserve",
    }


def configure(
    config: Config, overrides: Mapping[str, Any], interface: Interface = "wsgi"
) -> tuple[GunicornConfig, list[Problem]]:
    """Make gunicorn's configuration: defaults, then the file, then the command line.

    Args:
        config: The configuration, of which `[gunicorn]` and `[server]` count.
        overrides: Settings of the command line.
        interface: What the mounts speak: ASGI if any of them does.

    Returns:
        The configuration, and a problem for every value that is wrong.
    """
    settings = _fresh_settings(config)
    problems: list[Problem] = []
    root = root_of(config)
    layers = [
        ("{}", {name: value for name, value in defaults(config).items() if name in settings.settings}),
        ("WEB_CONCURRENCY", concurrency()),
        *_layers_of_file(config),
        ("--{}", dict(overrides)),
    ]
    for template, layer in layers:
        for name, value in layer.items():
            problem = partial(Problem, key=template.format(name))
            problems.extend(_set(settings, name, value, config.folder, problem))
    given = {name: template for template, layer in layers[2:] for name in layer}
    problems.extend(refuse_formats(config, given))
    if not problems:
        problems.extend(_check_together(settings, root, given, interface))
    if "logger_class" not in given:
        settings.set("logger_class", logger_class_for(config, settings.logger_class))
    return settings, problems


def _layers_of_file(config: Config) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the settings of the file with their key paths; a group has some of its own, and takes others over."""
    own = config.groups[config.group].gunicorn if config.group else {}
    yield f"{_root_of_file(config)}.{{}}", {name: value for name, value in config.gunicorn.items() if name not in own}
    yield f"{root_of(config)}.{{}}", own


def _check_together(
    settings: GunicornConfig, root: str, given: Mapping[str, str], interface: Interface
) -> Iterator[Problem]:
    """Check what no setting tells by itself."""
    try:
        if hasattr(settings, "validate"):  # since gunicorn 26
            settings.validate()
        if settings.is_ssl:
            ssl_context(settings)
    except Exception as error:  # noqa: BLE001 (gunicorn's validators raise what they like)
        yield Problem(key=root, message=_reason(error))
    if interface == "asgi" and interface_of(settings) == "wsgi":
        yield wrong_worker(root)
    if settings.worker_class_str == WORKER:
        for name, template in given.items():
            is_asked_for, hint = UNHEEDED.get(name, (None, ""))
            if is_asked_for and is_asked_for(settings.settings[name].get()):
                key = template.format(name)
                yield Problem(key=key, message="multiserve's own worker does not have this", hint=hint)


def wrong_worker(root: str) -> Problem:
    """Return the problem with a worker class that cannot serve what is mounted; `root` is the key path of its table."""
    message = "this worker cannot serve the ASGI applications among the mounts"
    hint = "Leave worker_class out, or name one for ASGI, such as uvicorn_worker.UvicornWorker."
    return Problem(key=f"{root}.worker_class", message=message, hint=hint)


def root_of(config: Config) -> str:
    """Return the key path of gunicorn's table; in the process of a group, that of the group."""
    return f"{config.groups[config.group].toml_key}.gunicorn" if config.group else _root_of_file(config)


def _root_of_file(config: Config) -> str:
    return f"{config.root}.gunicorn" if config.root else "gunicorn"


def _fresh_settings(config: Config) -> GunicornConfig:
    if (workers := concurrency().get("workers", 1)) < 0:  # gunicorn would refuse it without a name
        raise ConfigError(Problem(key="WEB_CONCURRENCY", message=f"{workers} is too small: at least 1"))
    settings = GunicornConfig(prog="multiserve")
    for name in TRUST.keys() & settings.settings.keys():
        settings.set(name, TRUST[name])
    if config.server.trusted_proxies:
        settings.set("forwarded_allow_ips", _LOCAL_PROXIES)
    return settings


def concurrency() -> dict[str, Any]:
    """Return the workers that the environment asks for; gunicorn has refused a text that is no number."""
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
        yield problem(message="gunicorn has no such setting", hint=did_you_mean(name, known) or _ALL_SETTINGS)
        return
    try:
        found = [problem(message=message, hint=hint) for message, hint in check(setting, value, folder)]
        yield from found
        if not found:
            settings.set(name, convert(setting, value, folder))
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
    elif name == "worker_class" and value != WORKER:  # which takes long to import
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
        if isinstance(address, tuple) and not 0 <= address[1] <= HIGHEST_PORT:
            raise ValueError(f"{address[1]} is not a port")


def _check_class(found: Any) -> None:
    if not inspect.isclass(found):
        raise TypeError(f"{found!r} is not a class")


def _reason(error: BaseException) -> str:
    """Return an exception as one line; where its text holds a whole traceback, by its ends."""
    first, *others = [line for line in str(error).splitlines() if line.strip(" ]")] or [type(error).__name__]
    return f"{first.rstrip(': ')}: {others[-1]}" if others else first.strip()


def interface_of(settings: GunicornConfig) -> Interface | None:
    """Return the interface that a worker class asks of the application; None if it is not known."""
    name = settings.settings["worker_class"].get()
    if name == WORKER:
        return "asgi"
    worker = util.load_class(name)
    for interface, modules in _WORKER_MODULES.items():
        if any(each.__module__.startswith(modules) for each in worker.__mro__):
            return interface
    return None


def absolute(overrides: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make the paths of the command line absolute: they start from the folder where the command was given."""
    found = dict(overrides)
    if "bind" in found:
        found["bind"] = [absolute_socket(each, folder) for each in found["bind"]]
    if "pidfile" in found:
        found["pidfile"] = str(folder / found["pidfile"])
    return found
