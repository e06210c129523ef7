"""How commands report errors, and how they keep their own output apart from that of the applications."""

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
    from multiserve.composition import Composition  # it takes long to import, and most commands do not need it


@contextlib.contextmanager
def reported_errors(*, show_traceback: bool) -> Iterator[None]:
    """Print an error on stderr and exit with its exit code."""
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
    """Print each failure with the traceback of the application on stderr."""
    from multiserve.tracebacks import format_cause

    for loaded in composition.failures:
        if loaded.error:
            click.echo(f"{format_cause(loaded.error)}\n", err=True)


@contextlib.contextmanager
def stdout_is_stderr() -> Iterator[None]:
    """Send to stderr what applications write to stdout inside the with block, even if they write to the descriptor."""
    try:
        stdout = os.dup(1)
    except OSError:  # stdout is closed, so there is no output of ours to protect
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
    """Exit from a command that has loaded applications, even if they have left threads running.

    What applications write from here on goes to stderr. Threads that they have started are not waited for: some never
    end.
    """
    stdout = sys.__stdout__
    if (
        stdout is not None and sys.stdout is stdout
    ):  # otherwise a test or a program has called the command, and continues
        stdout.flush()
        if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
            os._exit(code)
        atexit.register(
            os.dup2, 2, 1
        )  # handlers run in reverse order, so this one runs before those of the applications
    sys.exit(code)
