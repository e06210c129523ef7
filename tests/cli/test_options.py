"""The options that commands share, and those that are made from the configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import click
import click.shell_completion
import pytest

from multiserve import cli
from multiserve.cli import options
from multiserve.cli.options import find_env_files, note_unread_env_file, options_of
from multiserve.config.source import Source
from multiserve.config.tables import option
from multiserve.servers.configuration import override


@dataclass(frozen=True, kw_only=True)
class Options:
    name: str = option("x", help="A name.")
    max_count: int = option(1, help="A number.", minimum=0, maximum=9)
    on: bool = option(default=True, help="A switch.")
    maybe: bool | None = option(default=None, help="A switch with a third state.")
    words: tuple[str, ...] = option((), help="Words.")


@click.command(context_settings={"terminal_width": 100})
@options_of(Options)
def command(**values):
    click.echo(override(Options(name="from the file", on=True, words=("file",)), values))


@pytest.fixture
def run_options(capsys, monkeypatch):
    """Run a command with these options and give its exit code, and what it writes to stdout and stderr."""

    def run_options(*args, **environ):
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as caught:
            command(args, prog_name="command")
        return caught.value.code, *capsys.readouterr()

    return run_options


@pytest.mark.parametrize(
    ("args", "environ", "expected"),
    [
        pytest.param([], {}, {}, id="nothing"),
        pytest.param(["--name", "y"], {}, {"name": "y"}, id="a text"),
        pytest.param(["--name", ""], {}, {"name": ""}, id="an empty text"),
        pytest.param(["--max-count", "0"], {}, {"max_count": 0}, id="zero"),
        pytest.param(["--no-on"], {}, {"on": False}, id="a switch turned off"),
        pytest.param(["--maybe"], {}, {"maybe": True}, id="a third state turned on"),
        pytest.param(["--no-maybe"], {}, {"maybe": False}, id="a third state turned off"),
        pytest.param(["--words", "a", "--words", "b c"], {}, {"words": ("a", "b c")}, id="words"),
        pytest.param(
            [], {"MULTISERVE_NAME": "y", "MULTISERVE_MAX_COUNT": "3"}, {"name": "y", "max_count": 3}, id="environ"
        ),
        pytest.param(
            [], {"MULTISERVE_ON": "0", "MULTISERVE_MAYBE": "yes"}, {"on": False, "maybe": True}, id="switches"
        ),
        pytest.param([], {"MULTISERVE_WORDS": "a b"}, {"words": ("a", "b")}, id="words of the environment"),
        pytest.param(["--name", "z"], {"MULTISERVE_NAME": "y"}, {"name": "z"}, id="the command line wins"),
    ],
)
def test_what_is_given_replaces_what_the_file_has(run_options, args, environ, expected):
    values = {"name": "from the file", "max_count": 1, "on": True, "maybe": None, "words": ("file",), **expected}
    assert run_options(*args, **environ) == (0, f"{Options(**values)}\n", "")


@pytest.mark.parametrize(
    ("args", "environ", "message"),
    [
        pytest.param(
            ["--max-count", "10"],
            {},
            "Error: Invalid value for '--max-count': 10 is not in the range 0<=x<=9.",
            id="a number out of range",
        ),
        pytest.param(
            ["--max-count", "x"],
            {},
            "Error: Invalid value for '--max-count': 'x' is not a valid integer range.",
            id="no number",
        ),
        pytest.param(
            [],
            {"MULTISERVE_MAX_COUNT": "x"},
            "Error: Invalid value for '--max-count': 'x' is not a valid integer range.",
            id="no number in the environment",
        ),
    ],
)
def test_a_wrong_value_is_wrong_usage(run_options, args, environ, message):
    code, out, err = run_options(*args, **environ)
    assert (code, out) == (2, "")
    # Some versions of click name the variable even where it is not set.
    assert re.sub(r" \(env var: '\w+'\)", "", err).endswith(f"\n{message}\n")


def test_the_help_has_every_option_with_its_variable_and_default(run_options):
    assert " ".join(run_options("--help")[1].split()) == (
        "Usage: command [OPTIONS] Options: "
        "--name TEXT A name. [default: x] [env var: MULTISERVE_NAME] "
        "--max-count INTEGER RANGE A number. [default: 1] [env var: MULTISERVE_MAX_COUNT; 0<=x<=9] "
        "--on / --no-on A switch. [default: on] [env var: MULTISERVE_ON] "
        "--maybe / --no-maybe A switch with a third state. [env var: MULTISERVE_MAYBE] "
        "--words TEXT Words. [env var: MULTISERVE_WORDS] "
        "--help Show this message and exit."
    )


def test_the_file_is_named_by_option_or_variable(run, write_config, tmp_path, monkeypatch):
    write_config("[mounts]\n'/' = 'wrong'")
    (tmp_path / "variable.toml").write_text("[mounts]\n'/' = 'variable'")
    (tmp_path / "option.toml").write_text("[mounts]\n'/' = 'option'")
    monkeypatch.setenv("MULTISERVE_CONFIG", "variable.toml")
    assert run("routes")[1].split()[-1] == "variable"
    assert run("routes", "--config", "option.toml")[1].split()[-1] == "option"


ROUTES = """
[mounts]
"/" = "storefront:app"
"/admin" = "backoffice:app"
"*.example.com/blog" = { app = "blog:app", interface = "wsgi" }
"/api" = { app = "api:app", interface = "asgi" }
"""


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        pytest.param("multiserve check --only ", ["/", "/admin", "*.example.com/blog", "/api"], id="every mount"),
        pytest.param("multiserve run --only /a", ["/admin", "/api"], id="a beginning"),
        pytest.param("multiserve check -c other.toml --only ", ["/other"], id="another file"),
        pytest.param("multiserve check -c broken.toml --only ", [], id="a file that is wrong"),
        pytest.param("multiserve check -c no.toml --only ", [], id="no file"),
        pytest.param("multiserve ch", ["check"], id="a command"),
        pytest.param("multiserve check --format ", ["text", "json", "github", "sarif", "junit"], id="a choice"),
    ],
)
def test_the_shell_completes_mounts(run, write_config, tmp_path, monkeypatch, words, completions):
    write_config(ROUTES)
    (tmp_path / "other.toml").write_text("[mounts]\n'/other' = 'a'")
    (tmp_path / "broken.toml").write_text("[mounts]\nother = 'a'")
    monkeypatch.setenv("_MULTISERVE_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.splitlines()[1::3] == completions


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_gets_its_script(run, monkeypatch, shell):
    monkeypatch.setattr(click.shell_completion.BashComplete, "_check_version", staticmethod(lambda: None))
    monkeypatch.setenv("_MULTISERVE_COMPLETE", f"{shell}_source")
    code, out, _ = run()
    assert code == 0
    assert "_MULTISERVE_COMPLETE" in out


@pytest.mark.parametrize("command", ["run", "check", "routes"])
def test_targets_and_an_explicit_file_are_wrong_usage(run, write_config, command):
    path = write_config(ROUTES)
    code, out, err = run(command, "-c", str(path), "shop:app")
    assert (code, out) == (2, "")
    assert err.startswith(f"Usage: multiserve {command} [OPTIONS] [[KEY=]TARGET]...")
    assert err.endswith("\nError: --config names a file with mounts of its own: leave out --config, or the targets.\n")


@pytest.mark.parametrize(
    ("variable", "note"),
    [
        pytest.param(None, "multiserve.toml", id="in the folder"),
        pytest.param("other.toml", "other.toml", id="of the variable"),
        pytest.param("missing.toml", None, id="that is not there"),
    ],
)
def test_targets_win_over_a_file_that_is_found(run, write_config, tmp_path, monkeypatch, variable, note):
    write_config("[mounts]\n'/' = 'wrong'")
    (tmp_path / "other.toml").write_text("not even TOML")
    if variable:
        monkeypatch.setenv("MULTISERVE_CONFIG", variable)
    code, out, err = run("routes", "shop:app")
    assert (code, out.split()[-1]) == (0, "shop:app")
    assert err == (f"Note: {note} is ignored: the mounts are those of the command line.\n" if note else "")


@pytest.mark.parametrize("command", [["run"], ["run", "--production"], ["check"], ["routes"]], ids=" ".join)
def test_mistakes_in_targets_are_reported_as_those_of_a_file(run, command):
    message = 'Error: admin=shop:app: "admin" is neither a path nor a host\n    Did you mean "/admin"?'
    assert run(*command, "admin=shop:app") == (1, "", f"{message} A host has a dot or a port.\n")


def test_keys_of_targets_are_completed():
    command = cli.main.get_command(click.Context(cli.main), "run")
    context = command.make_context("run", ["shop:app", "/admin=office:app", "/api=api:app"], resilient_parsing=True)
    (option,) = [each for each in command.params if each.name == "only"]
    assert [item.value for item in option.shell_complete(context, "/a")] == ["/admin", "/api"]


NOTE = 'Note: {}/.env is not read: type pip install "multiserve[dotenv]" if it should be.\n'


@pytest.mark.parametrize(
    ("is_there", "can_read", "names", "found", "note"),
    [
        pytest.param(False, True, (), (), "", id="no file"),
        pytest.param(True, True, (), (".env",), "", id="the usual file"),
        pytest.param(True, False, (), (), NOTE, id="without the package"),
        pytest.param(True, True, ("b.env",), ("b.env",), "", id="another one is named"),
        pytest.param(True, False, ("b.env",), ("b.env",), "", id="another one is named without the package"),
    ],
)
def test_the_usual_env_file_is_read_unless_others_are_named(
    tmp_path, monkeypatch, capsys, is_there, can_read, names, found, note
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(options, "can_read_env_files", lambda: can_read)
    if is_there:
        (tmp_path / ".env").touch()
    source = Source(Path("multiserve.toml"))
    assert find_env_files(source, names) == tuple(tmp_path / name for name in found)
    note_unread_env_file(source, names)
    assert capsys.readouterr() == ("", note.format(tmp_path))
