"""gunicorn's settings: each is known, each wrong value is a problem, and all problems are told at once."""

from __future__ import annotations

import datetime as dt
import importlib
import os
import subprocess
import sys
from dataclasses import replace

import gunicorn
import pytest
from gunicorn.config import KNOWN_SETTINGS
from hypothesis import given, settings
from hypothesis import strategies as st

from multiserve.config.file import load_config
from multiserve.config.groups import Group
from multiserve.config.processes import for_group
from multiserve.errors import Problem
from multiserve.servers.production.settings import (
    REFUSED,
    UNHEEDED,
    WORKER,
    absolute,
    configure,
    defaults,
    interface_of,
)

pytestmark = pytest.mark.skipif(gunicorn.version_info < (27,), reason="the tables have settings of gunicorn 27")

NAMES = [setting.name for setting in KNOWN_SETTINGS]
ACCEPTED = sorted(set(NAMES) - REFUSED.keys())


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("site") / "multiserve.toml"
    path.write_text('[mounts]\n"/" = "a:b"\n')
    return load_config(path)


@pytest.fixture
def problems(config):
    """Give the text of all problems of some settings."""

    def problems(overrides=None, **values):
        _, found = configure(replace(config, gunicorn=values), overrides or {})
        return "\n".join(map(str, found))

    return problems


@pytest.fixture
def value(config):
    """Give what gunicorn makes of one value."""

    def value(name, given):
        made, found = configure(replace(config, gunicorn={"worker_class": "asgi", name: given}), {})
        assert found == []
        return made.settings[name].get()

    return value


def test_the_defaults_pass_and_differ_from_gunicorns_where_they_should(config, monkeypatch):
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    made, found = configure(config, {})
    assert found == []
    assert {name: getattr(made, name) for name in defaults(config)} | {"workers": 0} == {
        "bind": ["127.0.0.1:8000"],
        "workers": 0,
        "worker_class": made.worker_class,
        "threads": 1,
        "keepalive": 5,
        "limit_request_line": 8190,
        "control_socket_disable": True,
        "http_parser": "python",
        "access_log_format": '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({multiserve.mount}e)s"',
        "proc_name": "multiserve",
    }
    assert made.worker_class_str == WORKER
    assert 1 <= made.workers <= 4


def test_threads_are_for_gunicorns_own_worker(config):
    made, found = configure(replace(config, gunicorn={"worker_class": "gthread"}), {})
    assert found == []
    assert made.threads == 4


ASGI_HINT = 'Write worker_class = "asgi": a worker of gunicorn itself.'
GTHREAD_HINT = 'Write worker_class = "gthread", a worker of gunicorn itself, if all mounts are WSGI.'
THREADS_HINT = "Write threads on a mount: each one has threads of its own, 4 by default."
ASKED_FOR = {
    "http_protocols": (["h1", "h2"], ["h1"], ASGI_HINT),
    "proxy_protocol": ("auto", "off", ASGI_HINT),
    "protocol": ("uwsgi", "http", ASGI_HINT),
    "header_map": ("dangerous", "drop", ASGI_HINT),
    "threads": (8, 1, THREADS_HINT),
    "sendfile": (True, False, GTHREAD_HINT),
    "permit_obsolete_folding": (True, False, ASGI_HINT),
    "strip_header_spaces": (True, False, ASGI_HINT),
    "permit_unconventional_http_method": (True, False, ASGI_HINT),
    "permit_unconventional_http_version": (True, False, ASGI_HINT),
    "casefold_http_method": (True, False, ASGI_HINT),
}


@pytest.mark.parametrize("name", sorted(UNHEEDED))
def test_what_the_worker_does_not_have_is_refused_and_not_ignored(config, name):
    asked, harmless, hint = ASKED_FOR[name]
    refused = Problem(key=f"gunicorn.{name}", message="multiserve's own worker does not have this", hint=hint)
    assert configure(replace(config, gunicorn={name: asked}), {})[1] == [refused]
    assert configure(replace(config, gunicorn={name: harmless}), {})[1] == []
    assert configure(replace(config, gunicorn={name: asked, "worker_class": "gthread"}), {})[1] == []


OWN_WORKERS = """
from gunicorn.workers.base import Worker
from gunicorn.workers.gasgi import ASGIWorker
from gunicorn.workers.sync import SyncWorker

class Strange(Worker): ...
class Threads(SyncWorker): ...
class Loop(ASGIWorker): ...
"""

WORKERS = [
    pytest.param("sync", "wsgi", "", id="sync"),
    pytest.param("gthread", "wsgi", "", id="gthread"),
    pytest.param("gevent", "wsgi", "gevent", id="gevent"),
    pytest.param("gevent_pywsgi", "wsgi", "gevent", id="gevent's own server"),
    pytest.param("tornado", "wsgi", "tornado", id="tornado"),
    pytest.param("asgi", "asgi", "", id="asgi"),
    pytest.param(WORKER, "asgi", "", id="ours"),
    pytest.param("uvicorn_worker.UvicornWorker", "asgi", "uvicorn_worker", id="uvicorn"),
    pytest.param("uvicorn_worker.UvicornH11Worker", "asgi", "uvicorn_worker", id="uvicorn with h11"),
    pytest.param("own_workers.Threads", "wsgi", "", id="a subclass for WSGI"),
    pytest.param("own_workers.Loop", "asgi", "", id="a subclass for ASGI"),
    pytest.param("own_workers.Strange", None, "", id="a class of its own"),
]


@pytest.mark.usefixtures("clean_process")
@pytest.mark.parametrize(("worker", "interface", "package"), WORKERS)
def test_a_worker_class_serves_one_interface(config, worker, interface, package):
    if package:
        pytest.importorskip(package)
    (config.folder / "own_workers.py").write_text(OWN_WORKERS)
    sys.path.insert(0, str(config.folder))
    made, found = configure(replace(config, gunicorn={"worker_class": worker}), {})
    assert found == []
    assert interface_of(made) == interface
    _, found = configure(replace(config, gunicorn={"worker_class": worker}), {}, "asgi")
    refused = (
        "gunicorn.worker_class: this worker cannot serve the ASGI applications among the mounts\n"
        "    Leave worker_class out, or name one for ASGI, such as uvicorn_worker.UvicornWorker."
    )
    assert [str(problem) for problem in found] == ([refused] if interface == "wsgi" else [])


@pytest.mark.parametrize(("proxies", "peers"), [(0, []), (2, ["127.0.0.1", "::1"])], ids=["no proxy", "proxies"])
def test_gunicorn_itself_believes_no_header(config, proxies, peers):
    made, found = configure(replace(config, server=replace(config.server, trusted_proxies=proxies)), {})
    assert found == []
    assert (made.forwarded_allow_ips, made.secure_scheme_headers, made.forwarder_headers) == (peers, {}, [])
    assert (made.proxy_protocol, made.proxy_allow_ips) == ("off", ["127.0.0.1", "::1"])  # the PROXY protocol is another


@pytest.mark.parametrize("variable", ["*", "no address"])
def test_gunicorns_variable_for_trust_does_not_matter(config, variable):
    code = """if True:
        import sys
        from multiserve.config.file import load_config
        from multiserve.servers.production.settings import configure
        made, found = configure(load_config(sys.argv[1]), {})
        print(found, made.forwarded_allow_ips, made.secure_scheme_headers, made.forwarder_headers)
    """
    environ = os.environ | {"FORWARDED_ALLOW_IPS": variable}
    command = [sys.executable, "-c", code, config.path]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "[] [] {} []\n"


def test_every_refused_setting_is_one_of_gunicorns():
    assert REFUSED.keys() <= set(NAMES)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_setting_that_makes_no_sense_is_refused_with_a_reason(problems, name):
    assert problems(**{name: "x"}) == f"gunicorn.{name}: this setting makes no sense here\n    {REFUSED[name]}"


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("wrong", [1.5, dt.date(2026, 1, 1), [[]], ["a", 1]])
def test_a_value_of_a_kind_that_no_setting_takes_is_a_problem(problems, name, wrong):
    assert problems(**{name: wrong}).startswith(f"gunicorn.{name}: expected ")


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["a" * 5000, "os.getcwd", "os:getcwd", "unix:", "[::1", "fd://1", ":1", "-", "%", "sys.exit", "/"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=2),
)


@given(st.sampled_from(NAMES), anything)
@settings(deadline=None, max_examples=500)
def test_no_value_ends_in_an_exception(config, name, given_):
    _, found = configure(replace(config, gunicorn={name: given_}), {})
    assert all(problem.key in (f"gunicorn.{name}", "gunicorn") for problem in found)


def test_all_problems_are_told_at_once(problems):
    assert problems({"workers": 0}, worker=1, timeout="30", wsgi_app="a:b", keepalive=True) == (
        'gunicorn.worker: gunicorn has no such setting\n    Did you mean "workers"?\n'
        "gunicorn.timeout: expected a whole number, found a text\n"
        "gunicorn.wsgi_app: this setting makes no sense here\n    The applications are in [mounts].\n"
        "gunicorn.keepalive: expected a whole number, found true or false\n"
        "--workers: 0 is too small: at least 1"
    )


def test_a_problem_in_pyproject_has_its_key_path(config):
    _, found = configure(replace(config, root="tool.multiserve", gunicorn={"timeout": "x"}), {})
    assert str(found[0]) == "tool.multiserve.gunicorn.timeout: expected a whole number, found a text"


PROBLEMS = [
    ("user", "no-such-user", "gunicorn refuses the value: No such user: 'no-such-user'"),
    ("group", "no-such-group", "gunicorn refuses the value: No such group: 'no-such-group'"),
    ("syslog_addr", "http://x", "gunicorn refuses the value: invalid syslog address"),
    ("bind", "127.0.0.1:http", "gunicorn refuses the value: 'http' is not a valid port number."),
    ("bind", "127.0.0.1:99999", "gunicorn refuses the value: 99999 is not a port"),
    ("bind", ["127.0.0.1:80", "[::1]:-1"], "gunicorn refuses the value: -1 is not a port"),
    ("bind", "fd://x", "gunicorn refuses the value: 'x' is not a valid file descriptor."),
    ("statsd_host", "localhost:99999", "gunicorn refuses the value: 99999 is not a port"),
    ("statsd_host", "localhost:x", "gunicorn refuses the value: Value must be one of ('host:port', 'unix://PATH')"),
    (
        "proxy_allow_ips",
        ["nowhere"],
        "gunicorn refuses the value: 'nowhere' does not appear to be an IPv4 or IPv6 network",
    ),
    ("worker_class", "nope.Worker", "gunicorn refuses the value: class uri 'nope.Worker' invalid or not found: "),
    ("worker_class", "gunicorn.nope", "gunicorn refuses the value: module 'gunicorn' has no attribute 'nope'"),
    ("worker_class", "os.getcwd", "gunicorn refuses the value: <built-in function getcwd> is not a class"),
    ("logger_class", "os.getcwd", "gunicorn refuses the value: <built-in function getcwd> is not a class"),
    ("access_log_format", "%(h", "gunicorn refuses the value: incomplete format key"),
    ("access_log_format", "%(h)s %", "gunicorn refuses the value: incomplete format"),
    ("ciphers", "none of them", "gunicorn refuses the value: ('No cipher can be selected.',)"),
    (
        "when_ready",
        "hook",
        "gunicorn refuses the value: Value 'hook' is not import string. Format: module[.submodules...].object",
    ),
    ("when_ready", "nope.hook", "gunicorn refuses the value: No module named 'nope'"),
    ("when_ready", "os.nope", "gunicorn refuses the value: Can not load 'nope' from 'os'"),
    ("when_ready", "os.sep", "gunicorn refuses the value: Value is not callable: /"),
    ("when_ready", "os.getcwd", "gunicorn refuses the value: Value must have an arity of: 1"),
    (
        "certfile",
        "a" * 300,
        f"gunicorn refuses the value: [Errno 36] File name too long: 'HERE/{'a' * 100}\u2026{'a' * 98}'",
    ),
]


@pytest.mark.parametrize(
    ("name", "wrong", "message"), [pytest.param(*case, id=f"{case[0]}={str(case[1])[:20]!r}") for case in PROBLEMS]
)
def test_a_wrong_value_is_a_problem(config, problems, name, wrong, message):
    expected = f"gunicorn.{name}: {message}".replace("HERE", str(config.folder))
    found = problems(**{name: wrong})
    assert (found[: len(expected)] if message.endswith(": ") else found) == expected
    assert "\n" not in found.removesuffix(expected.partition("\n")[2]).rstrip("\n")


@pytest.mark.parametrize("empty", ["", [], [""], ["127.0.0.1:80", ""]])
def test_no_address_is_a_problem(problems, empty):
    hint = 'Write HOST:PORT, or unix:PATH, such as "127.0.0.1:8000".'
    assert problems(bind=empty) == f"gunicorn.bind: there is no address\n    {hint}"
    assert problems({"bind": [""]}) == f"--bind: there is no address\n    {hint}"


def test_a_certificate_that_is_none_is_a_problem(config, problems):
    (config.folder / "no.pem").write_text("nothing")
    assert problems(certfile="no.pem").startswith("gunicorn: [SSL] ")
    assert problems(keyfile="no.pem") != ""


def test_http2_without_its_package_is_a_problem(problems, monkeypatch):
    monkeypatch.setattr(importlib.import_module("gunicorn.http2"), "is_http2_available", lambda: False)
    assert problems(worker_class="asgi", http_protocols=["h2"]) == (
        "gunicorn: http_protocols includes h2 but the h2 package is not installed. "
        "Install gunicorn[http2], or drop h2 from http_protocols."
    )


VALUES = [
    ("proxy_allow_ips", ["10.0.0.0/8", "::1"], ["10.0.0.0/8", "::1"]),
    ("proxy_allow_ips", [], []),
    ("proxy_protocol", "v2", "v2"),
    ("http_protocols", ["h1"], ["h1"]),
    ("bind", "127.0.0.1:80", ["127.0.0.1:80"]),
    ("bind", ["unix:run.sock", "unix:///run/a.sock"], ["unix:HERE/run.sock", "unix:/run/a.sock"]),
    ("bind", ["fd://3", "[::1]:80"], ["fd://3", "[::1]:80"]),
    ("pidfile", "pid", "HERE/pid"),
    ("accesslog", "-", "-"),
    ("errorlog", "error.log", "HERE/error.log"),
    ("logger_class", "simple", "simple"),
    ("worker_class", "sync", "sync"),
    ("worker_class", "gunicorn.workers.sync.SyncWorker", "gunicorn.workers.sync.SyncWorker"),
    ("timeout", 0, 0),
    ("umask", 0o022, 18),
    ("sendfile", False, False),
    ("user", 0, 0),
    ("access_log_format", "%(h)s %(B)d %({x-a}i)s", "%(h)s %(B)d %({x-a}i)s"),
]


@pytest.mark.parametrize(("name", "given_", "made"), VALUES)
def test_a_value_becomes_what_gunicorn_takes(config, value, name, given_, made):
    here = str(config.folder)
    expected = [each.replace("HERE", here) for each in made] if isinstance(made, list) else made
    assert value(name, given_) == (expected.replace("HERE", here) if isinstance(expected, str) else expected)


def test_paths_of_the_command_line_start_from_the_folder_where_it_was_given(config, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    overrides = absolute(
        {"bind": ["unix:run.sock", "127.0.0.1:80"], "workers": 2, "pidfile": "run.pid"}, tmp_path / "elsewhere"
    )
    made, found = configure(config, overrides)
    assert found == []
    assert made.settings["bind"].get() == [f"unix:{tmp_path}/elsewhere/run.sock", "127.0.0.1:80"]
    assert made.settings["pidfile"].get() == f"{tmp_path}/elsewhere/run.pid"


@pytest.mark.usefixtures("clean_process")
def test_a_class_that_cannot_be_imported_says_why_in_one_line(config, problems):
    (config.folder / "failing.py").write_text("raise RuntimeError('no engine')\n")
    sys.path.insert(0, str(config.folder))
    message = "gunicorn refuses the value: class uri 'failing.Worker' invalid or not found: RuntimeError: no engine"
    assert problems(worker_class="failing.Worker") == f"gunicorn.worker_class: {message}"


def test_sync_has_one_thread_as_gunicorn_would_replace_it_otherwise(config):
    made, _ = configure(replace(config, gunicorn={"worker_class": "sync"}), {})
    assert (made.threads, made.worker_class_str) == (1, "sync")


def test_a_control_socket_that_is_named_is_on(config):
    made, _ = configure(replace(config, gunicorn={"control_socket": "ctl"}), {})
    assert not made.control_socket_disable
    assert made.control_socket == str(config.folder / "ctl")


@pytest.mark.parametrize(("variable", "workers"), [("3", 3), ("", None)])
def test_web_concurrency_is_a_default(config, monkeypatch, variable, workers):
    monkeypatch.setenv("WEB_CONCURRENCY", variable)
    made, found = configure(config, {})
    assert found == []
    assert made.workers == (workers or defaults(config)["workers"])
    made, _ = configure(replace(config, gunicorn={"workers": 7}), {})
    assert made.workers == 7


def test_variables_of_gunicorn_that_are_wrong_are_problems(config, monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "0")
    _, found = configure(config, {})
    assert str(found[0]) == "WEB_CONCURRENCY: 0 is too small: at least 1"


@pytest.mark.usefixtures("clean_process")
def test_a_hook_that_leaves_is_a_problem(config, problems):
    (config.folder / "leaving.py").write_text("import sys\nsys.exit('bye')\n")
    sys.path.insert(0, str(config.folder))
    assert problems(when_ready="leaving.hook") == "gunicorn.when_ready: gunicorn refuses the value: bye"


@pytest.mark.parametrize(
    ("own", "shared", "keys"),
    [
        pytest.param({"timeout": -1}, {}, ["groups.blog.gunicorn.timeout"], id="its own"),
        pytest.param({}, {"timeout": -1}, ["gunicorn.timeout"], id="what it takes over"),
        pytest.param({"timeout": 3}, {"timeout": -1}, [], id="its own before what it would take over"),
        pytest.param({"sendfile": True}, {}, ["groups.blog.gunicorn.sendfile"], id="what the worker has not"),
        pytest.param({"nothing": 1}, {}, ["groups.blog.gunicorn.nothing"], id="unknown"),
    ],
)
def test_settings_of_a_group_have_its_key(config, own, shared, keys):
    group = Group(name="blog", toml_key="groups.blog", gunicorn=own)
    mounts = tuple(replace(mount, group="blog") for mount in config.mounts)
    whole = replace(config, mounts=mounts, groups={"blog": group}, gunicorn=shared)
    made, found = configure(for_group(whole, group), {})
    assert [each.key for each in found] == keys
    assert made.workers == 1
