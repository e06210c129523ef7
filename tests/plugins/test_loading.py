"""Plugins are imported, and everything that is wrong with them is reported at `plugins`."""

from __future__ import annotations

import pytest

from multiserve import ConfigError, check, load_config
from multiserve.cli import main
from multiserve.plugins.loading import load_plugins

MOUNTS = '[mounts]\n"/" = "web:app"\n'
WEB = "def app(environ, start_response): ...\n"
CHECK = """
from multiserve.plugins import check

@check("{code}", "{severity}", "the sky is green", consequence="Nobody knows.")
def green(subject):
    '''It is looked at through a window.'''
    {body}

CHECKS = [green]
"""
FINDS = 'yield green.found(*subject.members, message="it is green", cure="Look again.")'

pytestmark = pytest.mark.usefixtures("clean_process")


def a_check(code="SHOP001", severity="warning", body=FINDS):
    return CHECK.format(code=code, severity=severity, body=body)


@pytest.fixture
def write(write_config):
    """Write a configuration with plugins, and the modules that it names."""

    def write_all(top, **modules):
        path = write_config(f"{top}\n{MOUNTS}")
        for name, source in {"web": WEB, **modules}.items():
            (path.parent / f"{name}.py").write_text(source)
        return path

    return write_all


def problems_of(path):
    with pytest.raises(ConfigError) as caught:
        load_plugins(load_config(path))
    assert caught.value.source == str(path)
    return [(problem.key, problem.message, problem.hint) for problem in caught.value.problems]


def test_what_a_plugin_checks_is_among_the_findings(write):
    path = write('plugins = ["ours"]', ours=a_check())
    assert [(each.code, each.severity, each.mounts, each.message) for each in check(path)] == [
        ("SHOP001", "warning", ("/",), "it is green")
    ]


@pytest.mark.parametrize(
    "top",
    [
        pytest.param('plugins = ["ours"]\nignore = ["SHOP001"]', id="of the file"),
        pytest.param('plugins = ["ours"]\nmounts."/x" = { app = "web:app", ignore = ["SHOP001"] }', id="of a mount"),
    ],
)
def test_what_a_plugin_checks_is_ignored_as_any_other(write_config, write, top):
    path = write(top, ours=a_check())
    if "mounts" in top:
        path.write_text('plugins = ["ours"]\n[mounts]\n"/" = { app = "web:app", ignore = ["SHOP001"] }\n')
    assert check(path) == []


def test_nothing_is_imported_that_the_file_does_not_name(write, tmp_path):
    trace = tmp_path / "trace"
    ours = f"open({str(trace)!r}, 'w').close()\n{a_check()}"
    assert check(write("", ours=ours)) == []
    assert not trace.exists()
    check(write('plugins = ["ours"]', ours=ours))
    assert trace.exists()


def test_a_server_imports_no_plugin(write):
    from multiserve import create_app

    assert callable(create_app(write('plugins = ["ours"]', ours="1 / 0")))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("yield 1 / 0", "cannot check whether the sky is green: ZeroDivisionError", id="raises"),
        pytest.param(
            f"{FINDS[:-1]}, severity='odd')", "cannot check whether the sky is green: ValueError", id="no severity"
        ),
    ],
)
def test_a_check_that_fails_is_a_note_and_hides_nothing(write, body, message):
    path = write('plugins = ["fails", "ours"]', fails=a_check("FAIL1", body=body), ours=a_check())
    first, second = check(path)
    assert (first.code, second.code, second.severity) == ("SHOP001", "FAIL1", "note")
    assert second.message.startswith(message)


HINT_OF_CODES = "Use letters of your own, and digits, such as SHOP001."
HINT_OF_CHECKS = "Decorate a function with multiserve.plugins.check, and name it in CHECKS."
WRONG = [
    pytest.param(
        "1 / 0", 'importing "ours" failed: ZeroDivisionError: division by zero (FILE, line 1)', "", id="fails"
    ),
    pytest.param("import sys\nsys.exit()", 'importing "ours" failed: SystemExit (FILE, line 2)', "", id="exits"),
    pytest.param(
        "checks = []",
        '"ours" has neither CHECKS nor FRAMEWORKS',
        "A plugin has a list CHECKS, a list FRAMEWORKS, or both.",
        id="nothing in it",
    ),
    pytest.param("CHECKS = 1", '"ours:CHECKS" is an int, not a list', "Write CHECKS = [...].", id="no list"),
    pytest.param(
        "CHECKS = [len]", '"ours:CHECKS[0]" is a builtin_function_or_method, not a check', HINT_OF_CHECKS, id="?"
    ),
    pytest.param(
        a_check("MS999"),
        '"ours:CHECKS[0]": the code MS999 begins with MS, as only multiserve\'s own do',
        HINT_OF_CODES,
        id="our letters",
    ),
    pytest.param(a_check("shop-1"), '"ours:CHECKS[0]": the code "shop-1" is not one', HINT_OF_CODES, id="no code"),
    pytest.param(
        a_check(severity="fatal"),
        '"ours:CHECKS[0]": the severity "fatal" is not one',
        "Known here: error, warning, note.",
        id="no severity",
    ),
    pytest.param(
        a_check() + "CHECKS = [green, green]",
        '"ours:CHECKS[1]": the code SHOP001 is taken by "ours"',
        "Give it another code.",
        id="a code twice",
    ),
    pytest.param(
        "FRAMEWORKS = {}", '"ours:FRAMEWORKS" is a dict, not a list', "Write FRAMEWORKS = [...].", id="no list!"
    ),
    pytest.param(
        "class Reader:\n    read = 1\n    find = len\nFRAMEWORKS = [Reader()]",
        '"ours:FRAMEWORKS[0]" has no recognises and no read',
        "A reader has the functions recognises, read and find.",
        id="half a reader",
    ),
]


@pytest.mark.parametrize(("source", "message", "hint"), WRONG)
def test_what_is_wrong_with_a_plugin_is_said_at_plugins(write, source, message, hint):
    path = write('plugins = ["ours"]', ours=source)
    message = message.replace("FILE", str(path.parent / "ours.py"))
    assert problems_of(path) == [("plugins", message, hint)]


def test_every_problem_of_every_plugin_is_reported_at_once(write):
    path = write('plugins = ["gone", "ours", "theirs"]', ours=a_check(), theirs=a_check())
    where = "Install the package that has it, or add the folder that has it to pythonpath."
    assert problems_of(path) == [
        ("plugins", 'there is no module "gone"', where),
        ("plugins", '"theirs:CHECKS[0]": the code SHOP001 is taken by "ours"', "Give it another code."),
    ]


def test_the_key_is_that_of_the_table(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.multiserve]\nplugins = ["gone"]\n[tool.multiserve.mounts]\n"/" = "web:app"')
    assert [key for key, _, _ in problems_of(path)] == ["tool.multiserve.plugins"]


# On the command line


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command and give its exit code, and what it writes to stdout and stderr."""

    def run_main(path, *args):
        monkeypatch.chdir(path.parent)
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(args, prog_name="multiserve")
        return caught.value.code, *capsys.readouterr()

    return run_main


@pytest.mark.parametrize("args", [("check",), ("routes", "--all"), ("routes", "--all", "--explain", "/")], ids=" ".join)
def test_every_command_that_imports_plugins_reports_what_is_wrong_with_them(run, write, args):
    path = write('plugins = ["ours"]', ours="FRAMEWORKS = [1]")
    error = 'plugins: "ours:FRAMEWORKS[0]" has no recognises and no read and no find\n'
    hint = "    A reader has the functions recognises, read and find.\n"
    assert run(path, *args) == (1, "", f"Error: {path}:\n{error}{hint}")


def test_a_code_of_a_plugin_is_explained_and_what_it_prints_is_not_in_the_answer(run, write):
    path = write('plugins = ["ours"]', ours=f"print('noise')\n{a_check()}")
    assert run(path, "check", "--explain", "shop001") == (
        0,
        (
            "SHOP001 (warning): the sky is green\n\n"
            "It is looked at through a window. Nobody knows.\n\n"
            'Ignored by ignore = ["SHOP001"] at the top of the file, or on a mount.\n'
        ),
        "noise\n",
    )


@pytest.mark.parametrize("has_file", [True, False])
def test_a_code_that_no_plugin_has_is_wrong_usage(run, write, tmp_path, has_file):
    path = write('plugins = ["ours"]', ours=a_check()) if has_file else tmp_path / "none.toml"
    code, out, err = run(path, "check", "--explain", "SHOP01")
    assert (code, out) == (2, "")
    hint = ' Did you mean "SHOP001"?' if has_file else ""
    assert err.endswith(f"Error: Invalid value for '--explain': there is no check \"SHOP01\".{hint}\n")


@pytest.mark.parametrize("code", ["MS102", "MS102x"])
def test_for_our_own_codes_no_plugin_is_imported(run, write, code):
    path = write('plugins = ["ours"]', ours="print('noise')")
    assert "noise" not in "".join(map(str, run(path, "check", "--explain", code)))
