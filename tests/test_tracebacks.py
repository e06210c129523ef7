"""What users read of an exception."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from multiserve.config.targets import parse_target
from multiserve.errors import LoadError
from multiserve.loading.applications import load
from multiserve.tracebacks import format_cause, in_one_line, is_foreign, own_frames, shown_line, users_frame

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
        '    5 | raise ConnectionError("the database is away")\n'
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
    assert format_cause(failure("good:ap")) == (
        f'{KEY}: "good" has no "ap" ({APPS / "good.py"})\n    Did you mean "app"?'
    )


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


def load_json():
    return json.loads("{")


def test_an_exception_of_a_library_names_the_line_of_the_user():
    error = raised(load_json)
    assert own_frames(error)[-1].filename == json.decoder.__file__
    assert users_frame(error).name == "load_json"
    number = load_json.__code__.co_firstlineno + 1
    assert in_one_line(error).endswith(f"(char 1) ({__file__}, line {number})")
    assert shown_line(error) == f'{number} | return json.loads("{{")'


def test_where_no_code_is_the_users_the_last_line_is_named():
    error = raised(lambda: json.loads("{"))
    error.__traceback__ = error.__traceback__.tb_next.tb_next
    frame = users_frame(error)
    assert is_foreign(frame.filename)
    assert frame == own_frames(error)[-1]


def test_what_was_never_raised_has_no_line():
    assert (in_one_line(KeyError("x")), shown_line(KeyError("x"))) == ("KeyError: 'x'", "")


def test_the_line_of_a_syntax_error_has_a_caret():
    error = raised(lambda: compile("\ndef (:\n", "site.py", "exec"))
    assert shown_line(error) == "2 | def (:\n  |     ^"


@pytest.mark.parametrize(
    ("file", "foreign"),
    [
        pytest.param(json.__file__, True, id="standard library"),
        pytest.param(pytest.__file__, True, id="installed"),
        pytest.param("<frozen os>", True, id="frozen"),
        pytest.param(__file__, False, id="here"),
    ],
)
def test_the_users_code_is_what_nobody_has_installed(file, foreign):
    assert is_foreign(file) is foreign


def test_only_the_first_line_of_a_message_is_shown():
    assert in_one_line(ManyLinesError("first\nsecond")) == f"{__name__}.ManyLinesError: first"


def test_the_file_of_a_syntax_error_is_named():
    error = raised(lambda: compile("def (:", "site.py", "exec"))
    assert in_one_line(error) == "SyntaxError: invalid syntax (site.py, line 1)"


def test_the_frames_of_multiserve_are_left_out_at_both_ends():
    error = raised(lambda: parse_target("no target at all("))
    assert {Path(frame.filename).name for frame in own_frames(error)} == {Path(__file__).name}
