"""How commands tell what went wrong, and how they keep their own answer apart from what applications write."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import click

from multiserve.errors import MultiserveError

if TYPE_CHECKING:
    from multiserve.composition import Composition  # it takes long to import, and most commands do without it


@contextlib.contextmanager
def reported_errors(*, show_traceback: bool) -> Iterator[None]:
    """Turn errors into text on stderr and an exit code."""
    try:
        yield
    except MultiserveError as error:
        if show_traceback:
            from traceback import format_exception

            click.echo(error.details or "".join(format_exception(error)).rstrip(), err=True)
        else:
            click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)


def echo_failures(composition: Composition) -> None:
    """Tell each failure with the traceback of the application."""
    from multiserve.tracebacks import format_cause

    for loaded in composition.failures:
        if loaded.error:
            click.echo(f"{format_cause(loaded.error)}\n", err=True)


@contextlib.contextmanager
def stdout_is_stderr() -> Iterator[None]:
    """Keep what applications write, even past Python, out of our answer."""
    try:
        stdout = os.dup(1)
    except OSError:  # it is closed: there is no answer to keep it out of
        yield
        return
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def leave(code: int) -> NoReturn:
    """End a command that has loaded applications, which may have left something running.

    What they write from here on does not get into our answer, and nobody waits for the threads that they have started:
    those of a server never end.
    """
    stdout = sys.__stdout__
    if stdout is not None and sys.stdout is stdout:  # else somebody else has called the command, and goes on
        stdout.flush()
        if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
            os._exit(code)
        atexit.register(os.dup2, 2, 1)  # before all that was registered earlier
    sys.exit(code)
