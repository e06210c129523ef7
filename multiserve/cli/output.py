"""How commands print, in colours on a terminal, and how they keep their output apart from that of the applications."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

from multiserve.errors import MultiserveError
from multiserve.styles import Role

if TYPE_CHECKING:
    from multiserve.composition import Composition  # it takes long to import, and most commands do not need it


_STYLES: dict[Role, dict[str, Any]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "note": {"fg": "cyan"},
    "strong": {"bold": True},
    "faint": {"dim": True},
    "link": {"fg": "cyan"},
}


def paint(text: str, role: Role) -> str:
    """Return a text in the colour of its role; `say` takes the colours out where they are not wanted."""
    return click.style(text, **_STYLES[role])


def say(text: str, *, err: bool = False) -> None:
    """Print a line, in colours on a terminal only, unless the environment says otherwise."""
    click.echo(text, err=err, color=_wants_colours(os.environ))


def _wants_colours(environ: Mapping[str, str]) -> bool | None:
    """Return what the environment says about colours (no-color.org, force-color.org); None if it says nothing."""
    if environ.get("NO_COLOR") or (environ.get("TERM") == "dumb" and not environ.get("FORCE_COLOR")):
        return False
    return True if environ.get("FORCE_COLOR") else None


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
            say(f"{paint('Error:', 'bad')} {error}", err=True)
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
