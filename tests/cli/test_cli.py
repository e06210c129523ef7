from __future__ import annotations

import contextlib
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import click.shell_completion
import pytest

from multiserve import __version__, cli
from multiserve.config.schema import make_schema
from multiserve.errors import ServeError

APPS = Path(__file__).parents[1] / "apps"
GOOD = f"""
pythonpath = ['{APPS}']
[mounts]
"/" = "good:app"
"/lazy" = "lazy"
"/made" = "factories:create_app(prefix)"
"""
BROKEN = GOOD + '"/gone" = "qqqq:app"\n"/exits" = "exits:app"\n"/asgi" = "asgi_app:app"\n'


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run the command in the test's own folder and give its exit code, and what it writes to stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main(args, prog_name="multiserve")
        return caught.value.code, *capsys.readouterr()

    return run


READERS = [name for name in cli.main.commands if name != "schema"]

# multiserve


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_told(run, option):
    assert run(option) == (0, f"multiserve, version {__version__}\n", "")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_shows_a_first_file_and_the_commands(run, option):
    code, out, err = run(option)
    assert (code, err) == (0, "")
    assert '      [mounts]\n      "/"      = "storefront:app"\n      "/admin" =' in out
    commands = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert commands == ["check", "reload", "routes", "run", "schema"]


@pytest.mark.parametrize("command", cli.main.commands)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_of_every_command_has_examples_that_it_understands(run, command, option):
    code, out, err = run(command, option)
    assert (code, err) == (0, "")
    examples = [line.partition("#")[0].split() for line in out.splitlines() if line.strip().startswith("multiserve ")]
    assert examples
    for name, subcommand, *args in examples:
        assert (name, subcommand) == ("multiserve", command)
        with contextlib.suppress(click.exceptions.Exit):  # of an option that answers by itself
            cli.main.commands[command].make_context(command, args).close()


@pytest.mark.parametrize("command", cli.main.commands)
def test_every_option_is_explained(command):
    for option in (each for each in cli.main.commands[command].params if isinstance(each, click.Option)):
        assert option.help
        assert option.help[0].isupper()
        assert option.help.endswith((".", "]"))


def test_an_unknown_command_is_wrong_usage(run):
    code, out, err = run("serve")
    assert (code, out) == (2, "")
    assert "No such command 'serve'." in err


def test_no_command_shows_the_help(run):
    code, out, err = run()
    assert code in (0, 2)  # click's own opinion changed between two versions
    assert "Usage: multiserve [OPTIONS] COMMAND" in out + err


def test_the_package_runs_as_a_module_and_imports_neither_click_nor_a_server():
    command = [sys.executable, "-m", "multiserve", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.endswith(f"{__version__}\n")
    code = "import sys, multiserve; print(sorted({'click', 'gunicorn', 'werkzeug'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# What every command does with a file that is wrong


@pytest.mark.parametrize("command", [["run"], ["run", "--production"], ["check"], ["routes"]], ids=" ".join)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            None,
            "no configuration: there is no multiserve.toml here, and no [tool.multiserve] in pyproject.toml\n"
            "    Name a file with --config or MULTISERVE_CONFIG, or write a multiserve.toml:\n"
            '\n    [mounts]\n    "/" = "module:app"',
            id="no file",
        ),
        pytest.param(
            "[mounts]\nadmin = 'a:'\n[sevrer]",
            "{file}:\n"
            'sevrer: no such key\n    Did you mean "server"?\n'
            'mounts.admin: "admin" is neither a path nor a host\n'
            '    Did you mean "/admin"? A host has a dot or a port.\n'
            'mounts.admin: "" is neither an attribute nor one call of a factory\n'
            '    Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".',
            id="three mistakes",
        ),
        pytest.param("[mounts", "{file}:1:8: not TOML: Expected ']' at the end of a table declaration", id="no TOML"),
    ],
)
def test_every_command_tells_all_mistakes_of_the_file(run, write_config, command, text, message):
    path = Path("multiserve.toml")
    if text is not None:
        write_config(text)
    code, out, err = run(*command)
    file = path.absolute() if command[0] == "run" else path
    assert (code, out, err) == (1, "", f"Error: {message.format(file=file)}\n")


@pytest.mark.parametrize("command", READERS)
def test_a_file_that_is_not_there_is_told(run, tmp_path, command):
    file = tmp_path / "no.toml"
    message = f"Error: {file}:\nno such file\n    Check the path given by --config or MULTISERVE_CONFIG.\n"
    assert run(command, "-c", str(file)) == (1, "", message)


@pytest.mark.parametrize("command", READERS)
def test_a_variable_that_points_nowhere_is_named(run, monkeypatch, command):
    monkeypatch.setenv("MULTISERVE_CONFIG", "no.toml")
    message = (
        'Error: MULTISERVE_CONFIG: there is no file "no.toml"\n'
        "    Correct the variable, unset it, or name a file with --config.\n"
    )
    assert run(command) == (1, "", message)


def test_the_file_is_named_by_option_or_variable(run, write_config, tmp_path, monkeypatch):
    write_config("[mounts]\n'/' = 'wrong'")
    (tmp_path / "variable.toml").write_text("[mounts]\n'/' = 'variable'")
    (tmp_path / "option.toml").write_text("[mounts]\n'/' = 'option'")
    monkeypatch.setenv("MULTISERVE_CONFIG", "variable.toml")
    assert run("routes")[1].split()[-1] == "variable"
    assert run("routes", "--config", "option.toml")[1].split()[-1] == "option"


# run


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(["--workers", "2"], "--workers needs --production.", id="workers"),
        pytest.param(["--threads", "2"], "--threads needs --production.", id="threads"),
        pytest.param(["--bind", "x:1"], "--bind needs --production.", id="bind"),
        pytest.param(
            ["--production", "--no-reload"],
            "--reload is an option of the development server: leave out --production.",
            id="reload",
        ),
        pytest.param(
            ["--production", "--debugger"],
            "--debugger is an option of the development server: leave out --production.",
            id="debugger",
        ),
        pytest.param(
            ["--production", "--extra-files", "x"],
            "--extra-files is an option of the development server: leave out --production.",
            id="files",
        ),
        pytest.param(
            ["--production", "--bind", "x:1", "--port", "1"],
            "--bind says it all: leave out --host and --port.",
            id="bind and port",
        ),
    ],
)
def test_options_that_do_not_belong_together_are_wrong_usage(run, write_config, args, message):
    write_config(GOOD)
    code, out, err = run("run", *args)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: multiserve run [OPTIONS]\n")
    assert err.endswith(f"\n\nError: {message}\n")


def test_an_unknown_option_is_wrong_usage(run):
    code, out, err = run("run", "--zzz")
    assert (code, out) == (2, "")
    assert "No such option" in err


def test_a_variable_of_the_other_server_may_stay_set(run, write_config, monkeypatch):
    write_config("[mounts]\n'/' = 'a:'")
    monkeypatch.setenv("MULTISERVE_WORKERS", "2")
    assert run("run")[0] == 1
    monkeypatch.setenv("MULTISERVE_PRODUCTION", "1")
    monkeypatch.setenv("MULTISERVE_RELOAD", "1")
    assert run("run")[0] == 1


@pytest.mark.parametrize("mode", [[], ["--production"]], ids=["development", "production"])
def test_run_refuses_a_mount_that_is_not_there(run, write_config, mode):
    write_config(GOOD)
    message = "Error: /admin: no such mount\n    Known here: /, /lazy, /made.\n"
    assert run("run", *mode, "--only", "/admin") == (1, "", message)


def test_a_production_server_that_cannot_be_imported_says_what_to_run_instead(run, write_config, monkeypatch):
    write_config(GOOD)
    monkeypatch.setitem(sys.modules, "multiserve.servers.production.server", None)
    monkeypatch.delattr("multiserve.servers.production.server", raising=False)
    code, out, err = run("run", "--production")
    assert (code, out) == (ServeError.exit_code, "")
    assert err.startswith("Error: gunicorn cannot be imported: ")
    assert err.endswith(
        "    Use another server: waitress-serve multiserve.wsgi:application, "
        "or uvicorn multiserve.asgi:application if any mount is ASGI.\n"
    )


# check


@pytest.mark.usefixtures("clean_process")
def test_check_tells_that_all_is_well(run, write_config):
    write_config(GOOD)
    text = "ok  /      good:app                      WSGI\nok  /lazy  lazy                          WSGI\n"
    assert run("check") == (0, f"{text}ok  /made  factories:create_app(prefix)  WSGI\n", "")


OUTCOMES = f"""\
ok      /       good:app                      WSGI
ok      /lazy   lazy                          WSGI
ok      /made   factories:create_app(prefix)  WSGI
FAILED  /gone   qqqq:app
        there is no module "qqqq"
        Install the package that has it, or add the folder that has it to pythonpath.
FAILED  /exits  exits:app
        importing "exits" failed: SystemExit: 4 ({APPS / "exits.py"}, line 5)
ok      /asgi   asgi_app:app                  ASGI
"""


@pytest.mark.usefixtures("clean_process")
def test_check_tells_everything_that_fails_and_nothing_hides_another(run, write_config):
    write_config(BROKEN)
    assert run("check") == (3, OUTCOMES, "")


@pytest.mark.usefixtures("clean_process")
def test_check_shows_tracebacks_if_asked(run, write_config):
    write_config(BROKEN)
    code, out, err = run("check", "--traceback")
    assert (code, out) == (3, OUTCOMES)
    plain = re.sub(r"\n +[~^]+(?=\n)", "", err)  # Python 3.13 underlines the call
    assert f'  File "{APPS / "exits.py"}", line 5, in <module>\n    sys.exit(4)\nSystemExit: 4\n' in plain


@pytest.mark.usefixtures("clean_process")
def test_check_gives_json(run, write_config):
    write_config(BROKEN)
    code, out, err = run("check", "--format", "json")
    result = json.loads(out)
    assert (code, err, result["ok"], result["problems"]) == (3, "", False, [])
    assert [(each["mount"], each["ok"], each["interface"]) for each in result["mounts"]] == [
        ("/", True, "wsgi"),
        ("/lazy", True, "wsgi"),
        ("/made", True, "wsgi"),
        ("/gone", False, None),
        ("/exits", False, None),
        ("/asgi", True, "asgi"),
    ]
    assert result["mounts"][3]["problems"] == [
        {
            "key": 'mounts."/gone"',
            "message": 'there is no module "qqqq"',
            "hint": "Install the package that has it, or add the folder that has it to pythonpath.",
        }
    ]


def test_check_gives_the_mistakes_of_the_file_as_json(run, write_config):
    write_config('[mounts]\n"/" = 1')
    code, out, err = run("check", "--format", "json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {
        "ok": False,
        "problems": [
            {
                "key": 'mounts."/"',
                "message": "expected a target, found a whole number",
                "hint": 'Write "module:attribute" in quotes.',
            }
        ],
        "mounts": [],
        "findings": [],
    }


@pytest.mark.usefixtures("clean_process")
def test_what_applications_print_is_not_part_of_the_answer(run, write_config):
    write_config(f'pythonpath = ["{APPS}"]\n[mounts]\n"/" = "prints"')
    code, out, err = run("check", "--format", "json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    assert err == "hello from the import\nhello from the factory\n"


@pytest.mark.usefixtures("clean_process")
def test_what_applications_write_past_python_is_not_part_of_the_answer(tmp_path, write_config):
    (tmp_path / "writes.py").write_text("import os\nos.write(1, b'noise')\ndef app(environ, start_response): ...\n")
    path = write_config('[mounts]\n"/" = "writes:app"')
    command = [sys.executable, "-m", "multiserve", "check", "-c", str(path), "--format", "json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout)["ok"]
    assert result.stderr == "noise"


@pytest.mark.usefixtures("clean_process")
@pytest.mark.parametrize(
    ("only", "mounts"),
    [
        pytest.param(["/made/"], ["/made"], id="one"),
        pytest.param(["/made", "/"], ["/", "/made"], id="two"),
    ],
)
def test_check_only_some_mounts(run, write_config, only, mounts):
    write_config(BROKEN)
    code, out, _ = run("check", *(f"--only={each}" for each in only))
    assert (code, [line.split()[1] for line in out.splitlines()]) == (0, mounts)


@pytest.mark.usefixtures("clean_process")
def test_only_is_read_from_the_environment(run, write_config, monkeypatch):
    write_config(BROKEN)
    monkeypatch.setenv("MULTISERVE_ONLY", "/made /")
    assert run("check")[0] == 0


@pytest.mark.parametrize(
    ("only", "message"),
    [
        pytest.param("/mdae", '/mdae: no such mount\n    Did you mean "/made"?', id="an unknown one"),
        pytest.param(
            "made",
            'made: "made" is neither a path nor a host\n    Did you mean "/made"? A host has a dot or a port.',
            id="a bare word",
        ),
    ],
)
def test_only_a_mount_that_is_there(run, write_config, only, message):
    write_config(GOOD)
    assert run("check", "--only", only) == (1, "", f"Error: {message}\n")


@pytest.mark.usefixtures("clean_process")
@pytest.mark.parametrize("style", ["text", "json"])
def test_check_finds_a_worker_that_cannot_serve_the_mounts(run, write_config, style):
    path = write_config(GOOD + '"/asgi" = "asgi_app:app"\n[gunicorn]\nworker_class = "gthread"')
    code, out, err = run("check", "--format", style)
    problem = {
        "key": "gunicorn.worker_class",
        "message": "this worker cannot serve the ASGI applications among the mounts",
        "hint": "Leave worker_class out, or name one for ASGI, such as uvicorn_worker.UvicornWorker.",
    }
    text = f"Error: {path}:\n{problem['key']}: {problem['message']}\n    {problem['hint']}\n"
    assert (code, err) == (1, text if style == "text" else "")
    assert (json.loads(out)["problems"] if out else []) == ([problem] if style == "json" else [])
    assert run("check", "--only", "/made")[0] == 0


def test_check_checks_the_settings_of_gunicorn(run, write_config):
    write_config(GOOD + '[gunicorn]\nworkesr = 2\nreload = true\nthreads = "four"\nloglevel = "lodu"')
    assert run("check") == (
        1,
        "",
        (
            "Error: multiserve.toml:\n"
            'gunicorn.workesr: gunicorn has no such setting\n    Did you mean "workers"?\n'
            "gunicorn.reload: this setting makes no sense here\n"
            "    Run without --production to reload on changes; send SIGHUP to reload in production.\n"
            "gunicorn.threads: expected a whole number, found a text\n"
            'gunicorn.loglevel: "lodu" is not one of the choices\n'
            "    Known here: critical, debug, error, info, warning.\n"
        ),
    )


# routes

ROUTES = """
[mounts]
"/" = "storefront:app"
"/admin" = "backoffice:app"
"*.example.com/blog" = { app = "blog:app", interface = "wsgi" }
"/api" = { app = "api:app", interface = "asgi" }
"""


def test_routes_lists_the_mounts_and_imports_none(run, write_config):
    write_config(ROUTES)
    assert run("routes") == (
        0,
        (
            "HOST           PREFIX  KIND  INTERFACE  TARGET\n"
            "*.example.com  /blog   app   WSGI       blog:app\n"
            "any            /admin  app   auto       backoffice:app\n"
            "any            /api    app   ASGI       api:app\n"
            "any            /       app   auto       storefront:app\n"
        ),
        "",
    )


def test_routes_waits_for_nothing_that_looks_inside(write_config):
    code = "import sys; from multiserve.cli import main; main(['routes'], standalone_mode=False); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, cwd=write_config(ROUTES).parent, capture_output=True, text=True, check=True).stdout
    heavy = {"multiserve.frameworks", "multiserve.routes.inside", "multiserve.routes.arrival", "multiserve.composition"}
    assert "multiserve.reports.routes" in out.split()
    assert not heavy & set(out.split())


def test_routes_gives_json(run, write_config):
    write_config(ROUTES)
    code, out, err = run("routes", "--format", "json")
    assert (code, err) == (0, "")
    [blog, admin, api, root] = json.loads(out)["mounts"]
    assert blog == {
        "mount": "*.example.com/blog",
        "host": "*.example.com",
        "port": None,
        "prefix": "/blog",
        "kind": "app",
        "target": "blog:app",
        "interface": "wsgi",
    }
    assert [(each["mount"], each["interface"]) for each in (admin, api, root)] == [
        ("/admin", None),
        ("/api", "asgi"),
        ("/", None),
    ]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        pytest.param(
            "/admin/users?x=1",
            "mount        /admin  (backoffice:app)\n"
            'because      "/admin" is the longest prefix that matches\n'
            'SCRIPT_NAME  "/admin"\n'
            'PATH_INFO    "/users"\n'
            'root_path    "/admin"\n'
            'path         "/admin/users"\n'
            "runner-up    /  (storefront:app)\n",
            id="a path",
        ),
        pytest.param(
            "https://shop.example.com/blog",
            "mount        *.example.com/blog  (blog:app)\n"
            'because      the host matches "*.example.com", and "/blog" is the only prefix under it that matches\n'
            'SCRIPT_NAME  "/blog"\n'
            'PATH_INFO    ""\n'
            "runner-up    /  (storefront:app)\n",
            id="a whole URL, of a WSGI mount",
        ),
        pytest.param(
            "/api/users",
            "mount      /api  (api:app)\n"
            'because    "/api" is the longest prefix that matches\n'
            'root_path  "/api"\n'
            'path       "/api/users"\n'
            "runner-up  /  (storefront:app)\n",
            id="an ASGI mount",
        ),
        pytest.param(
            "/administrator",
            "mount        /  (storefront:app)\n"
            "because      the root is the only prefix that matches\n"
            'SCRIPT_NAME  ""\n'
            'PATH_INFO    "/administrator"\n'
            'root_path    ""\n'
            'path         "/administrator"\n'
            "runner-up    none: 404\n",
            id="no runner-up",
        ),
    ],
)
def test_routes_explains_a_url(run, write_config, url, text):
    write_config(ROUTES)
    assert run("routes", "--explain", url) == (0, text, "")


def test_routes_explains_a_url_that_no_mount_takes(run, write_config):
    write_config('[mounts]\n"/admin" = "backoffice:app"')
    text = "mount    none\nbecause  no mount has a prefix of this path, so the answer is 404\n"
    assert run("routes", "--explain", "/x") == (0, text, "")


def test_routes_explains_in_json(run, write_config):
    write_config(ROUTES)
    code, out, err = run("routes", "--explain", "/admin/users", "--format", "json")
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert result.pop("mount")["mount"] == "/admin"
    assert result.pop("runner_up")["mount"] == "/"
    assert result == {
        "url": "/admin/users",
        "method": "GET",
        "reason": '"/admin" is the longest prefix that matches',
        "script_name": "/admin",
        "path_info": "/users",
        "root_path": "/admin",
        "path": "/admin/users",
        "values": {},
        "location": None,
    }


@pytest.mark.parametrize(
    ("text", "mounts"),
    [
        pytest.param("ADMIN", ["/admin"], id="a key, in capitals"),
        pytest.param("storefront:", ["/"], id="a target"),
        pytest.param("example.com", ["*.example.com/blog"], id="a host"),
        pytest.param("qqq", [], id="none"),
    ],
)
def test_routes_keeps_the_mounts_that_contain_a_text(run, write_config, text, mounts):
    write_config(ROUTES)
    code, out, err = run("routes", text, "--format", "json")
    assert (code, [each["mount"] for each in json.loads(out)["mounts"]], err) == (0, mounts, "")


def test_routes_says_that_nothing_contains_a_text(run, write_config):
    write_config(ROUTES)
    assert run("routes", "qqq") == (0, "Nothing contains this text.\n", "")
    assert run("routes", "--all", "qqq") == (0, "Nothing contains this text.\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(["--method", "POST"], "--method needs --explain.", id="a method without a URL"),
        pytest.param(
            ["--explain", "/", "text"],
            "--explain takes one URL and nothing to filter: leave out TEXT.",
            id="a text beside a URL",
        ),
    ],
)
def test_routes_refuses_what_does_not_belong_together(run, write_config, args, message):
    write_config(ROUTES)
    code, out, err = run("routes", *args)
    assert (code, out) == (2, "")
    assert err.endswith(f"\n\nError: {message}\n")


@pytest.mark.usefixtures("clean_process")
def test_routes_looks_inside_and_what_fails_to_load_or_prints_does_not_matter(run, write_config):
    write_config(f'pythonpath = ["{APPS}"]\n[mounts]\n"/" = "prints"\n"/gone" = "qqqq:app"')
    code, out, err = run("routes", "--all")
    assert (code, err) == (0, "hello from the import\nhello from the factory\n")
    assert out == (
        "HOST  PREFIX  KIND  INTERFACE  TARGET    FRAMEWORK\n"
        "any   /gone   app   FAILED     qqqq:app\n"
        '    there is no module "qqqq"\n'
        "    Install the package that has it, or add the folder that has it to pythonpath.\n"
        "any   /       app   WSGI       prints\n"
        "    multiserve cannot see inside this application\n"
    )


@pytest.mark.usefixtures("clean_process")
def test_routes_shows_tracebacks_of_what_it_loads_if_asked(run, write_config):
    write_config(f'pythonpath = ["{APPS}"]\n[mounts]\n"/exits" = "exits:app"')
    for args in ([], ["--explain", "/exits"]):
        code, out, err = run("routes", "--all", *args, "--traceback")
        assert (code, bool(out)) == (0, True)
        assert err.endswith("SystemExit: 4\n\n")


def test_routes_explains_a_url_that_no_mount_takes_without_loading_any(run, write_config):
    write_config('[mounts]\n"/admin" = "backoffice:app"')
    text = "mount    none\nbecause  no mount has a prefix of this path, so the answer is 404\n"
    assert run("routes", "--all", "--explain", "/x") == (0, text, "")


EXAMPLES = Path(__file__).parents[2] / "examples"


def look_inside(example, *args):
    """Run `routes --all` in a process of its own, for what Django makes of a process."""
    command = [sys.executable, "-m", "multiserve", "routes", "--all", "-c", str(EXAMPLES / example / "multiserve.toml")]
    return subprocess.run([*command, *args], capture_output=True, text=True, check=True).stdout


def version_of(framework):
    pytest.importorskip(framework.lower(), exc_type=ImportError)
    return f"{framework} {importlib.metadata.version(framework)}"


def test_routes_looks_into_flask_and_pyramid():
    flask, pyramid = version_of("Flask"), version_of("Pyramid")
    version_of("Django")
    assert look_inside("three-frameworks", "site.views") == (
        f"HOST  PREFIX  KIND  INTERFACE  TARGET                                                     FRAMEWORK\n"
        f"any   /flask  app   WSGI       flask_site:create_app()                                    {flask}\n"
        "    GET        /flask/        site.home      flask_site.views:home\n"
        "    GET, POST  /flask/login   site.login     flask_site.views:login\n"
        "    POST       /flask/logout  site.logout    flask_site.views:logout\n"
        "    POST       /flask/notes   site.add_note  flask_site.views:add_note\n"
        "    POST       /flask/upload  site.upload    flask_site.views:upload\n"
        f"any   /       app   WSGI       pyramid_site:make_app(neighbours=['/django/', '/flask/'])  {pyramid}\n"
        "    POST  /                 home    pyramid_site.views:greet\n"
        "    GET   /                 home    pyramid_site.views:home\n"
        "    GET   /hello/{name:.+}  hello   pyramid_site.views:hello\n"
        "    GET   /visits.json      visits  pyramid_site.views:visits\n"
    )


def test_routes_explains_what_django_does_with_a_url():
    django = version_of("Django")
    version_of("Flask")
    version_of("Pyramid")
    text = look_inside("three-frameworks", "--explain", "http://localhost:8000/django/add")
    assert text == (
        "mount        /django  (django_site.wsgi)\n"
        'because      "/django" is the longest prefix that matches\n'
        'SCRIPT_NAME  "/django"\n'
        'PATH_INFO    "/add"\n'
        f"framework    {django}\n"
        "route        /django/add/  (guestbook:add)\n"
        "methods      GET, POST, PUT\n"
        "view         django_site.guestbook.views:EntryCreate\n"
        "defined      django_site/guestbook/views.py:26\n"
        "answer       301 to /django/add/\n"
        "runner-up    /  (pyramid_site:make_app(neighbours=['/django/', '/flask/']))\n"
    )


def test_routes_explains_what_fastapi_does_with_a_websocket():
    fastapi = version_of("FastAPI")
    version_of("Django")
    version_of("Flask")
    inside = json.loads(look_inside("mixed", "--explain", "ws://localhost/api/talk", "--format", "json"))["inside"]
    assert inside == {
        "outcome": "view",
        "ok": True,
        "problems": [],
        "framework": "FastAPI",
        "version": fastapi.split()[1],
        "through": [],
        "status": None,
        "location": None,
        "methods": [],
        "file": None,
        "content_type": None,
        "route": {
            "url": "/api/talk",
            "methods": ["WEBSOCKET"],
            "name": "talk",
            "view": "chat.main:talk",
            "file": str(EXAMPLES / "mixed" / "chat" / "main.py"),
            "line": line_of(EXAMPLES / "mixed" / "chat" / "main.py", '@app.websocket("/talk")'),
        },
    }


def line_of(path, text):
    return path.read_text().splitlines().index(text) + 1


@pytest.mark.parametrize("url", ["http://[::1", "/\udcff", "", "//", "*", "http://", "http://example.com:x/", "é"])
def test_no_text_to_explain_ends_in_a_traceback(run, write_config, url):
    write_config(ROUTES)
    code, out, err = run("routes", "--explain", url)
    assert (code, bool(out), bool(err)) in ((0, True, False), (1, False, True))


# reload


def test_reload_tells_what_became_of_it(run, tmp_path, write_config):
    write_config(GOOD + '[gunicorn]\npidfile = "pid"')
    path = tmp_path / "pid"
    command = [sys.executable, "-c", LIKE_A_SERVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        path.write_text(server.stdout.readline())
        assert run("reload") == (0, f"Process {server.pid} has reloaded.\n", "")
        refusal = "Error: the reload is refused, and the workers stay as they were:\nno\n"
        assert run("reload", "--pid", str(path)) == (3, "", refusal)


LIKE_A_SERVER = """
import os, pathlib, signal, sys
from multiserve.servers.production import pid_file

path = pathlib.Path(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
pid_file.record(path, 0, "")
print(os.getpid(), flush=True)
for count, refusal in ((1, ""), (2, "no")):
    signal.sigwait({signal.SIGHUP})
    pid_file.record(path, count, refusal)
"""


def test_reload_without_a_pid_file_says_what_to_write(run, write_config):
    path = write_config(GOOD)
    assert run("reload") == (
        1,
        "",
        (
            f"Error: {path}:\n"
            "gunicorn.pidfile: not set, so nothing tells which process to signal\n"
            '    Write pidfile = "multiserve.pid" under [gunicorn] and restart the server, or say --pid FILE.\n'
        ),
    )


def test_reload_with_a_pid_file_needs_no_configuration(run, tmp_path):
    path = tmp_path / "pid"
    assert run("reload", "--pid", str(path)) == (
        3,
        "",
        (
            f"Error: there is no pid file {path}\n"
            "    Is the server running? It writes the file when it starts with this pidfile setting.\n"
        ),
    )


# The exits, and the shells


@pytest.mark.parametrize("command", ["check", "reload", "routes", "run"])
def test_traceback_shows_where_an_error_comes_from_and_keeps_the_exit_code(run, write_config, command):
    code, out, err = run(command, "-c", str(write_config("[mounts]")), "--traceback")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):\n")
    assert "multiserve.errors.ConfigError: " in err
    assert err.endswith('mounts: there are no mounts\n    Write at least one, such as "/" = "module:app".\n')


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        pytest.param("multiserve check --only ", ["/", "/admin", "*.example.com/blog", "/api"], id="every mount"),
        pytest.param("multiserve run --only /a", ["/admin", "/api"], id="a beginning"),
        pytest.param("multiserve check -c other.toml --only ", ["/other"], id="another file"),
        pytest.param("multiserve check -c broken.toml --only ", [], id="a file that is wrong"),
        pytest.param("multiserve check -c no.toml --only ", [], id="no file"),
        pytest.param("multiserve ch", ["check"], id="a command"),
        pytest.param("multiserve check --format ", ["text", "json", "github"], id="a choice"),
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


# multiserve schema


def test_schema_prints_the_schema_of_the_file(run):
    code, out, err = run("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == make_schema()


# Applications that leave something running


LEAVES = """
import atexit, threading, time
atexit.register(lambda: print("bye"))
threading.Thread(target=lambda: time.sleep(60), name="endless").start()
def app(environ, start_response): ...
"""


@pytest.mark.parametrize("command", [("check",), ("routes", "--all")], ids=" ".join)
def test_what_applications_leave_running_is_not_waited_for_and_does_not_get_into_the_answer(write_config, command):
    path = write_config('[mounts]\n"/" = "leaves:app"')
    (path.parent / "leaves.py").write_text(LEAVES)
    whole = [sys.executable, "-m", "multiserve", *command, "--format", "json"]
    done = subprocess.run(whole, cwd=path.parent, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0
    assert json.loads(done.stdout)["mounts"][0]["mount"] == "/"


def test_check_answers_even_if_nobody_listens(write_config):
    path = write_config('[mounts]\n"/" = "plain:app"')
    (path.parent / "plain.py").write_text("def app(environ, start_response): ...")
    command = f"{sys.executable} -m multiserve check >&-"
    done = subprocess.run(command, shell=True, cwd=path.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
