"""What users read of an exception."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from multiserve.config.targets import parse_target
from multiserve.errors import LoadError
from multiserve.loading.applications import load
from multiserve.tracebacks import format_cause, in_one_line, own_frames

APPS = Path(__file__).parent / "apps"
KEY = 'mounts."/x"'


@pytest.fixture(autouse=True)
def _search_path(clean_process):
    sys.path.insert(0, str(APPS))


def failure(text):
    """Return the error of a target that cannot be loaded."""
    with pytest.raises(LoadError) as caught:
        load(parse_target(text), prefix="", key=KEY, folder=APPS)
    return caught.value


def test_the_traceback_of_an_error_begins_in_the_application():
    path = APPS / "raises_on_import.py"
    lines = format_cause(failure("raises_on_import:app")).splitlines(keepends=True)
    # Newer Pythons underline the calls.
    assert "".join(line for line in lines if line.strip(" ~^\n")) == (
        f'{KEY}: importing "raises_on_import" failed: ConnectionError: the database is away ({path}, line 5)\n'
        "Traceback (most recent call last):\n"
        f'  File "{path}", line 8, in <module>\n'
        "    connect()\n"
        f'  File "{path}", line 5, in connect\n'
        '    raise ConnectionError("the database is away")\n'
        "ConnectionError: the database is away"
    )


def test_the_traceback_of_an_error_has_what_it_was_raised_from():
    text = format_cause(failure("factories:raises_from_another()"))
    assert "KeyError: 'SECRET'\n\nThe above exception was the direct cause of the following exception:\n" in text
    assert text.endswith("RuntimeError: not configured")
    assert "/multiserve/loading/" not in text


def test_the_traceback_of_a_syntax_error_shows_its_line():
    text = format_cause(failure("syntax_error:app"))
    assert text.endswith("SyntaxError: '(' was never closed")
    assert "def app(environ, start_response:" in text
    assert "importlib" not in text


def test_an_error_without_a_cause_has_no_traceback():
    assert format_cause(failure("good:ap")) == f'{KEY}: "good" has no "ap"\n    Did you mean "app"?'


def raised(act):
    """Return the exception that a function raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 (whatever it is)
        act()
    return caught.value


class ManyLinesError(Exception):
    """An exception whose message has more than one line."""


def fail_with(error):
    raise error


def test_an_exception_in_one_line_names_its_last_line():
    error = raised(lambda: fail_with(KeyError("SECRET")))
    line = own_frames(error)[-1].lineno
    assert in_one_line(error) == f"KeyError: 'SECRET' ({__file__}, line {line})"


def test_only_the_first_line_of_a_message_is_shown():
    assert in_one_line(ManyLinesError("first\nsecond")) == f"{__name__}.ManyLinesError: first"


def test_the_file_of_a_syntax_error_is_named():
    error = raised(lambda: compile("def (:", "site.py", "exec"))
    assert in_one_line(error) == "SyntaxError: invalid syntax (site.py, line 1)"


def test_the_frames_of_multiserve_are_left_out_at_both_ends():
    error = raised(lambda: parse_target("no target at all("))
    assert {Path(frame.filename).name for frame in own_frames(error)} == {Path(__file__).name}
