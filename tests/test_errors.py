from __future__ import annotations

import pytest

from multiserve.errors import ConfigError, LoadError, MultiserveError, Problem, ServeError, UnlocatedError, raise_for

WHOLE = Problem(key='mounts."/admin".app', message="no such module", hint="Install it.")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        pytest.param(WHOLE, 'mounts."/admin".app: no such module\n    Install it.', id="key, message and hint"),
        pytest.param(Problem(message="it is broken"), "it is broken", id="a message alone"),
        pytest.param(Problem(key="server", message="wrong"), "server: wrong", id="key and message"),
        pytest.param(Problem(message="wrong", hint="Mend it."), "wrong\n    Mend it.", id="message and hint"),
        pytest.param(
            Problem(key="x.toml:2:5", message="wrong", hint="Mend it.", excerpt="2 | a = b\n  |     ^"),
            "x.toml:2:5: wrong\n    2 | a = b\n      |     ^\n    Mend it.",
            id="a line of a file",
        ),
        pytest.param(
            Problem(key="k" * 300, message=f'no "{"m" * 300}"', hint=f"Write {'h' * 300}."),
            f'{"k" * 100}…{"k" * 99}: no "{"m" * 99}…{"m" * 98}"\n    Write {"h" * 100}…{"h" * 98}.',
            id="what is too long to be read",
        ),
    ],
)
def test_a_problem_says_where_what_and_what_to_do(problem, text):
    assert str(problem) == text


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        pytest.param(MultiserveError, 1, id="any error"),
        pytest.param(ConfigError, 1, id="configuration"),
        pytest.param(LoadError, 3, id="loading"),
        pytest.param(ServeError, 3, id="serving"),
    ],
)
def test_every_error_has_its_exit_code_and_all_its_problems(kind, exit_code):
    error = kind(WHOLE, "it is late")
    assert kind.exit_code == exit_code
    assert error.problems == (WHOLE, Problem(message="it is late"))
    assert str(error) == 'mounts."/admin".app: no such module\n    Install it.\nit is late'
    assert isinstance(error, MultiserveError)


def test_a_problem_without_its_place_gets_it_where_it_is_caught():
    error = UnlocatedError("wrong", "Mend it.", "2 | a = b")
    assert error.at("x") == Problem(key="x", message="wrong", hint="Mend it.", excerpt="2 | a = b")


def test_a_configuration_error_names_its_file_first():
    assert str(ConfigError("it is empty", source="shop/multiserve.toml")) == "shop/multiserve.toml:\nit is empty"


def test_problems_are_raised_together_and_no_problem_raises_nothing():
    raise_for([])
    with pytest.raises(ConfigError) as caught:
        raise_for(iter([WHOLE, Problem(message="it is late")]), source="multiserve.toml")
    assert caught.value.problems == (WHOLE, Problem(message="it is late"))
    assert caught.value.source == "multiserve.toml"
