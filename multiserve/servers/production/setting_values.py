"""One value for gunicorn: what its own validators let pass although it is wrong, and what becomes of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gunicorn import glogging
from gunicorn.config import Setting  # noqa: TC002 (gunicorn is imported in any case)
from gunicorn.workers import SUPPORTED_WORKERS

from multiserve.config.tables import describe, did_you_mean
from multiserve.servers.addresses import absolute_socket

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
# Without any of these gunicorn starts, and serves no request. Elsewhere zero has a meaning, such as "no limit".
_AT_LEAST_ONE = ("workers", "threads", "worker_connections", "backlog", "dirty_threads")
_LARGEST = {"umask": 0o777, "control_socket_mode": 0o777, "cert_reqs": 2}
_LARGEST_ELSEWHERE = 2**31 - 1  # more overflows in the system calls that take them
_WORKERS = tuple(SUPPORTED_WORKERS)
_FILES = ("certfile", "keyfile", "ca_certs", "logconfig", "logconfig_json")
_LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107  # bytes, see unix(4) and unix(7)
_FOLDERS = ("chdir", "worker_tmp_dir", "tmp_upload_dir")
_WRITTEN = ("pidfile", "accesslog", "errorlog", "control_socket")


def check(setting: Setting, value: Any, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a value, and what to do about it; gunicorn's own validators look at the rest."""
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
    if name in _CHOICES and value.lower() not in _CHOICES[name]:
        yield f'"{value}" is not one of the choices', did_you_mean(value.lower(), _CHOICES[name])
    elif name == "bind" and not (value and all(value)):
        yield "there is no address", 'Write HOST:PORT, or unix:PATH, such as "127.0.0.1:8000".'
    elif name == "bind":
        yield from _check_sockets([value] if isinstance(value, str) else value, folder)
    elif name == "worker_class" and value.isidentifier() and value not in _WORKERS:
        yield f'"{value}" is not one of the choices', did_you_mean(value, _WORKERS)
    elif name in (*_FILES, *_FOLDERS, *_WRITTEN) and value != "-":
        yield from _check_path(name, folder / value)


def _check_sockets(addresses: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    for address in addresses:
        path = Path(absolute_socket(address, folder).removeprefix("unix:"))
        if not address.startswith("unix:"):
            continue
        if len(os.fsencode(path)) > _LONGEST_SOCKET:
            yield (
                "the path of the socket is too long",
                f"A system takes {_LONGEST_SOCKET} bytes; use a folder nearer to /.",
            )
        elif not path.parent.is_dir():
            yield f"there is no folder {path.parent}", "Make the folder first."


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


def convert(setting: Setting, value: Any, folder: Path) -> Any:
    """Turn a TOML value into what gunicorn takes: lists into text, relative paths into absolute ones."""
    if _validator(setting) in _JOINED and isinstance(value, list):
        return ",".join(value)
    if setting.name in (*_FILES, *_FOLDERS, *_WRITTEN) and value != "-":
        return str(folder / value)
    if setting.name == "bind":
        return [absolute_socket(each, folder) for each in ([value] if isinstance(value, str) else value)]
    return value


def _validator(setting: Setting) -> str:
    return getattr(setting.validator, "__name__", "")
