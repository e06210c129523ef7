"""One value for gunicorn: what is wrong with it although gunicorn would take it, and what becomes of it."""

from __future__ import annotations

import sys

import gunicorn
import pytest
from gunicorn.config import Config

from multiserve.servers.production.setting_values import check, convert

pytestmark = pytest.mark.skipif(gunicorn.version_info < (27,), reason="the tables have settings of gunicorn 27")

SETTINGS = Config(prog="multiserve").settings
RELATIVE = "Paths are relative to the folder of the configuration."

WRONG = [
    ("workers", 0, "0 is too small: at least 1", ""),
    ("threads", 0, "0 is too small: at least 1", ""),
    ("timeout", -1, "-1 is too small: at least 0", ""),
    ("timeout", 2**31, "2147483648 is too large: at most 2147483647", ""),
    ("umask", 0o1000, "512 is too large: at most 511", ""),
    ("umask", "022", "expected a whole number, found a text", ""),
    ("cert_reqs", 3, "3 is too large: at most 2", ""),
    ("user", -1, "-1 is too small: at least 0", ""),
    ("user", True, "expected a name or a number, found true or false", ""),
    ("preload_app", "true", "expected true or false, found a text", ""),
    ("preload_app", 1, "expected true or false, found a whole number", ""),
    ("proc_name", 5, "expected a text, found a whole number", ""),
    ("proc_name", "a\0b", "the text contains a NUL character", "Take the character out."),
    ("loglevel", "loud", '"loud" is not one of the choices', "Known here: critical, debug, error, info, warning."),
    ("loglevel", "inof", '"inof" is not one of the choices', 'Did you mean "info"?'),
    ("syslog_facility", "sauth", '"sauth" is not one of the choices', 'Did you mean "auth"?'),
    ("bind", 8000, "expected a list of texts, found a whole number", ""),
    ("bind", [8000], "expected a list of texts, found a list with something else in it", ""),
    ("worker_class", "gthred", '"gthred" is not one of the choices', 'Did you mean "gthread"?'),
    ("secure_scheme_headers", "X", "expected a table, found a text", ""),
    ("certfile", "no.pem", "there is no file HERE/no.pem", RELATIVE),
    ("keyfile", "/no.pem", "there is no file /no.pem", RELATIVE),
    ("chdir", "no", "there is no folder HERE/no", RELATIVE),
    ("worker_tmp_dir", "multiserve.toml", "there is no folder HERE/multiserve.toml", RELATIVE),
    ("pidfile", "no/pid", "there is no folder HERE/no", "Make the folder first."),
    ("errorlog", "", "HERE is a folder", "Name a file."),
    ("accesslog", ".", "HERE is a folder", "Name a file."),
    (
        "bind",
        [f"unix:{'x' * 300}"],
        "the path of the socket is too long",
        f"A system takes {103 if sys.platform == 'darwin' else 107} bytes; use a folder nearer to /.",
    ),
    ("protocol", "spdy", '"spdy" is not one of the choices', "Known here: http, uwsgi."),
    ("bind", [], "there is no address", 'Write HOST:PORT, or unix:PATH, such as "127.0.0.1:8000".'),
    ("bind", [""], "there is no address", 'Write HOST:PORT, or unix:PATH, such as "127.0.0.1:8000".'),
]


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [pytest.param(*case, id=f"{case[0]}={str(case[1])[:20]!r}") for case in WRONG],
)
def test_what_gunicorn_would_take_although_it_is_wrong_is_told(tmp_path, name, value, message, hint):
    (tmp_path / "multiserve.toml").touch()
    assert list(check(SETTINGS[name], value, tmp_path)) == [(message.replace("HERE", str(tmp_path)), hint)]


RIGHT = [
    ("workers", 1),
    ("timeout", 0),
    ("umask", 0o777),
    ("user", "www-data"),
    ("user", 0),
    ("preload_app", True),
    ("proc_name", "shop"),
    ("loglevel", "debug"),
    ("bind", "127.0.0.1:80"),
    ("bind", ["127.0.0.1:80", "unix:run.sock"]),
    ("worker_class", "gthread"),
    ("worker_class", "asgi"),
    ("worker_class", "some.module.Worker"),
    ("certfile", "multiserve.toml"),
    ("chdir", "."),
    ("pidfile", "pid"),
    ("accesslog", "-"),
]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_what_is_right_is_no_problem(tmp_path, name, value):
    (tmp_path / "multiserve.toml").touch()
    assert list(check(SETTINGS[name], value, tmp_path)) == []


CONVERTED = [
    ("forwarded_allow_ips", ["10.0.0.0/8", "::1"], "10.0.0.0/8,::1"),
    ("http_protocols", "h1,h2", "h1,h2"),
    ("raw_env", ["A=1"], ["A=1"]),
    ("bind", "unix:run.sock", ["unix:HERE/run.sock"]),
    ("bind", ["127.0.0.1:80"], ["127.0.0.1:80"]),
    ("certfile", "cert.pem", "HERE/cert.pem"),
    ("tmp_upload_dir", "/var/tmp", "/var/tmp"),
    ("errorlog", "-", "-"),
    ("workers", 2, 2),
]


@pytest.mark.parametrize(("name", "value", "converted"), CONVERTED)
def test_lists_become_text_and_relative_paths_absolute(tmp_path, name, value, converted):
    here = repr(converted).replace("HERE", str(tmp_path))
    assert repr(convert(SETTINGS[name], value, tmp_path)) == here
