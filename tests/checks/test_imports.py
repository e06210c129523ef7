from __future__ import annotations

import pytest

from multiserve.checks import look_at
from multiserve.checks.imports import root_loggers
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts
from multiserve.loading.side_effects import Recorder, SideEffects

MOUNTS = '[mounts]\n"/a" = "plain:app"\n"/b" = "other:app"'
ROOT_LOGGER = "loading it changes the handlers or the level of the root logger"
DISABLES = "loading it disables loggers that exist already"


@pytest.mark.parametrize(
    "effects",
    [
        pytest.param(SideEffects(), id="no effects"),
        pytest.param(SideEffects(seconds=2.9), id="an import that is not slow yet"),
        pytest.param(SideEffects(memory=200 * 2**20 - 1), id="an application that is not large yet"),
    ],
)
def test_nothing_is_said(look, effects):
    assert look(MOUNTS, effects={"/a": effects, "/b": effects}) == []


SAID = [
    # the effects of loading /a, what is said about it: code, severity and message
    pytest.param(
        SideEffects(threads=("poll",)), ("MS160", "note", "loading it starts a thread: poll"), id="a thread"
    ),
    pytest.param(
        SideEffects(threads=("poll", "send")), ("MS160", "note", "loading it starts 2 threads: poll, send"),
        id="two threads",
    ),
    pytest.param(
        SideEffects(folder="/tmp"), ("MS161", "warning", "loading it changes the working directory to /tmp"),
        id="a working directory",
    ),
    pytest.param(SideEffects(root_logger=True), ("MS162", "note", ROOT_LOGGER), id="the root logger"),
    pytest.param(
        SideEffects(signals=("SIGHUP", "SIGTERM")),
        ("MS163", "warning", "loading it replaces the handlers of SIGHUP, SIGTERM"), id="signals",
    ),
    pytest.param(SideEffects(seconds=3), ("MS164", "note", "loading it takes 3.0 s"), id="a slow import"),
    pytest.param(
        SideEffects(memory=200 * 2**20), ("MS165", "note", "loading it takes 200 MB"), id="a large application"
    ),
    pytest.param(
        SideEffects(disabled_loggers=("k", "l", "m")), ("MS166", "note", f"{DISABLES}: k, l, m"),
        id="loggers of libraries",
    ),
    pytest.param(
        SideEffects(disabled_loggers=("k", "l", "m", "n")), ("MS166", "note", f"{DISABLES}: k, l, m and others"),
        id="many loggers of libraries",
    ),
    pytest.param(
        SideEffects(disabled_loggers=("plain", "k", "other.orders")),
        ("MS166", "warning", f"{DISABLES}: other.orders and others"), id="a logger of another application",
    ),
    pytest.param(
        SideEffects(time_zone="America/Chicago"),
        ("MS167", "note", "loading it sets the time zone of the process to America/Chicago"), id="a time zone",
    ),
    pytest.param(
        SideEffects(socket_timeout=0.0),
        ("MS168", "warning", "loading it sets the default timeout of all sockets to 0 s"), id="a timeout of 0",
    ),
    pytest.param(
        SideEffects(socket_timeout=2.5),
        ("MS168", "warning", "loading it sets the default timeout of all sockets to 2.5 s"), id="a timeout",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("effects", "expected"), SAID)
def test_what_loading_changes_is_said_of_the_mount_that_changes_it(look, effects, expected):
    code, severity, message = expected
    assert look(MOUNTS, effects={"/a": effects}) == [(code, severity, ("/a",), message)]


def test_threads_are_lost_where_the_master_loads_the_applications(look):
    found = look(MOUNTS, effects={"/a": SideEffects(threads=("poll",))}, gunicorn={"preload_app": True})
    assert ("MS160", "warning", ("/a",), "loading it starts a thread: poll") in found


def test_two_mounts_that_configure_the_root_logger_are_told_of_each_other(look):
    effects = SideEffects(root_logger=True)
    assert look(MOUNTS, effects={"/a": effects, "/b": effects}) == [
        ("MS162", "warning", ("/a",), f"{ROOT_LOGGER}, as /b does"),
        ("MS162", "warning", ("/b",), f"{ROOT_LOGGER}, as /a does"),
    ]


def test_the_time_zone_of_an_application_alone_concerns_nobody(look):
    text = '[mounts]\n"/a" = "plain:app"\n"/b" = { redirect = "/a" }'
    assert look(text, effects={"/a": SideEffects(time_zone="UTC")}) == []


def test_only_a_mount_that_imports_something_is_slow(look):
    text = '[mounts]\n"/a" = "plain:app"\n"/files" = { static = "files" }'
    assert look(text, effects={"/files": SideEffects(seconds=9)}) == []


def litestar():
    return Facts(application=object(), framework="Litestar", version="")


def test_the_thread_of_litestars_log_is_lost_only_where_the_master_loads_the_applications(look):
    effects, known = {"/a": SideEffects(threads=("Thread-1 (_monitor)",))}, {"/a": litestar()}
    assert look(MOUNTS, known, effects=effects) == []
    found = look(MOUNTS, known, effects=effects, gunicorn={"preload_app": True})
    assert ("MS160", "warning", ("/a",), "loading it starts a thread: Thread-1 (_monitor)") in found


LITESTAR = """
from litestar import Litestar
from litestar.logging import LoggingConfig
app = Litestar([], logging_config={})
"""


def test_the_cure_of_litestars_root_logger_can_be_applied(tmp_path, write_config, kept_process):
    pytest.importorskip("litestar")
    (tmp_path / "blog.py").write_text("def app(environ, start_response): ...")

    def find(name, config):
        (tmp_path / f"{name}.py").write_text(LITESTAR.format(config))
        loaded = load_config(write_config(f'[mounts]\n"/" = "{name}:app"\n"/blog" = "blog:app"'))
        recorder = Recorder()
        composition = compose(loaded, observe=lambda mount: recorder.watch(mount.name))
        return [each.cure for each in root_loggers.find(look_at(composition, recorder.effects))]

    cure = "LoggingConfig(configure_root_logger=False)"
    more = 'Or run it in a process of its own: group = "main" on the mount and a table [groups.main].'
    assert find("first", "LoggingConfig()") == [f"Make it with Litestar(logging_config={cure}). {more}"]
    assert find("second", cure) == []


@pytest.mark.parametrize(
    "effects",
    [
        pytest.param(SideEffects(folder="/tmp"), id="the working directory"),
        pytest.param(SideEffects(root_logger=True), id="the root logger"),
        pytest.param(SideEffects(disabled_loggers=("k",)), id="loggers"),
        pytest.param(SideEffects(socket_timeout=1.0), id="the timeout of sockets"),
    ],
)
def test_what_an_application_alone_does_concerns_nobody(look, effects):
    assert look('[mounts]\n"/a" = "plain:app"\n"/files" = { static = "files" }', effects={"/a": effects}) == []
