from __future__ import annotations

import asyncio
import builtins
import decimal
import functools
import gc
import json
import logging
import os
import resource
import socket
import ssl
import sys
import threading
import types
import warnings

import pytest

from multiserve.loading.process_state import READINGS, Change, Patch, find_changes, find_patches, take_down


def replacement(*args):
    return args


@functools.wraps(socket.getaddrinfo)
def wrapper(*args):
    return args


measuring = types.FunctionType(replacement.__code__, {})
measuring.__module__ = "sentry_sdk.integrations.stdlib"


@pytest.fixture
def look():
    """Find what some work changes, and take it back by the function beside it."""

    def run(work, undo, find):
        before = take_down()
        try:
            work()
            return find(before, take_down())
        finally:
            undo()

    return run


CHANGES = [
    pytest.param(
        lambda: logging.disable(logging.INFO), lambda: logging.disable(logging.NOTSET),
        Change("logging.disable", "NOTSET", "INFO"), id="records that are disabled",
    ),
    pytest.param(
        lambda: logging.setLogRecordFactory(replacement), lambda: logging.setLogRecordFactory(logging.LogRecord),
        Change("log records", "logging.LogRecord", f"{__name__}.replacement"), id="the factory of records",
    ),
    pytest.param(
        lambda: setattr(decimal.getcontext(), "prec", 6), lambda: setattr(decimal.getcontext(), "prec", 28),
        Change(
            "decimal", "28 digits, ROUND_HALF_EVEN, DivisionByZero, InvalidOperation, Overflow",
            "6 digits, ROUND_HALF_EVEN, DivisionByZero, InvalidOperation, Overflow",
        ),
        id="the decimal context",
    ),
    pytest.param(
        lambda: sys.setrecursionlimit(4321), functools.partial(sys.setrecursionlimit, sys.getrecursionlimit()),
        Change("recursion", str(sys.getrecursionlimit()), "4321"), id="the recursion limit",
    ),
    pytest.param(
        gc.disable, gc.enable,
        Change("garbage", f"on, {', '.join(map(str, gc.get_threshold()))}",
               f"off, {', '.join(map(str, gc.get_threshold()))}"),
        id="the garbage collector",
    ),
    pytest.param(
        lambda: setattr(sys, "excepthook", replacement), lambda: setattr(sys, "excepthook", sys.__excepthook__),
        Change("sys.excepthook", "sys.excepthook", f"{__name__}.replacement"), id="a hook",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("work", "undo", "change"), CHANGES)
def test_a_setting_of_the_process_that_changes_is_found(look, work, undo, change):
    assert change in look(work, undo, find_changes)


def test_warnings_of_any_module_that_are_errors_are_found():
    with warnings.catch_warnings():
        warnings.resetwarnings()
        before = take_down()
        warnings.filterwarnings("error", module="shop")
        assert find_changes(before, take_down()) == ()
        warnings.simplefilter("error", DeprecationWarning)
        assert find_changes(before, take_down()) == (Change("warnings", "none", "DeprecationWarning"),)


@pytest.mark.skipif(sys.platform != "linux", reason="the mask is read from /proc")
def test_the_umask_is_read_without_being_set(look):
    before = os.umask(0o022)
    try:
        assert look(lambda: os.umask(0o077), lambda: None, find_changes) == (Change("umask", "0022", "0077"),)
    finally:
        os.umask(before)


def test_limits_are_found(look):
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    other = 0 if soft else 4096
    if hard != resource.RLIM_INFINITY and other > hard:
        pytest.skip("the limit cannot be changed here")
    set_to = functools.partial(resource.setrlimit, resource.RLIMIT_CORE)
    (change,) = look(lambda: set_to((other, hard)), lambda: set_to((soft, hard)), find_changes)
    assert (change.name, f"RLIMIT_CORE {other}" in change.after) == ("limits", True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_only_an_event_loop_policy_of_a_library_is_one(look):
    class Policy(asyncio.DefaultEventLoopPolicy):
        pass

    undo = functools.partial(asyncio.set_event_loop_policy, None)
    own = asyncio.DefaultEventLoopPolicy()
    assert look(lambda: asyncio.set_event_loop_policy(own), undo, find_changes) == ()
    (change,) = look(lambda: asyncio.set_event_loop_policy(Policy()), undo, find_changes)
    assert (change.name, change.before, change.after.rpartition(".")[2]) == ("loop policy", "None", "Policy")


def test_every_reading_can_be_read_twice():
    first, second = take_down(), take_down()
    assert list(first.settings) == list(READINGS)
    assert (find_changes(first, second), find_patches(first, second)) == ((), ())


PATCHES = [
    pytest.param(socket, "getaddrinfo", replacement, [Patch("socket.getaddrinfo", __name__, False)], id="a function"),
    pytest.param(socket, "getaddrinfo", wrapper, [Patch("socket.getaddrinfo", "socket", True)], id="a wrapper"),
    pytest.param(
        ssl, "_create_default_https_context", getattr(ssl, "_create_unverified_context"),  # noqa: B009 (it is private)
        [Patch("ssl._create_default_https_context", "ssl", False)], id="a function by another of its module",
    ),
    pytest.param(
        json.JSONEncoder, "default", replacement, [Patch("json.JSONEncoder.default", __name__, False)], id="a method"
    ),
    pytest.param(builtins, "_", replacement, [Patch("builtins._", __name__, False)], id="a new built-in function"),
    pytest.param(builtins, "_own_of_a_library", replacement, [], id="a new built-in function with a private name"),
    pytest.param(threading.Thread, "start", measuring, [], id="what measures the calls"),
    pytest.param(threading, "excepthook", replacement, [], id="a hook, which is among the settings"),
    pytest.param(socket, "unheard_of", replacement, [], id="a new name, which replaces nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "name", "value", "patches"), PATCHES)
def test_what_is_replaced_in_the_standard_library_is_found(monkeypatch, owner, name, value, patches):
    if owner is builtins:
        monkeypatch.delattr(builtins, "_", raising=False)
    before = take_down()
    monkeypatch.setattr(owner, name, value, raising=False)
    assert list(find_patches(before, take_down())) == patches


def test_a_module_that_was_imported_in_between_is_known_by_whose_its_functions_are(monkeypatch):
    import zoneinfo

    monkeypatch.delitem(sys.modules, "zoneinfo")
    before = take_down()
    monkeypatch.setitem(sys.modules, "zoneinfo", zoneinfo)
    assert find_patches(before, take_down()) == ()
    monkeypatch.setattr(zoneinfo, "available_timezones", replacement)
    assert find_patches(before, take_down()) == (Patch("zoneinfo.available_timezones", __name__, False),)
