"""`multiserve check`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

APPS = Path(__file__).parents[1] / "apps"
GOOD = f"""
pythonpath = ['{APPS}']
[mounts]
"/" = "good:app"
"/lazy" = "lazy"
"/made" = "factories:create_app(prefix)"
"""
BROKEN = GOOD + '"/gone" = "qqqq:app"\n"/exits" = "exits:app"\n"/asgi" = "asgi_app:app"\n'


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
        5 | sys.exit(4)
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
            "excerpt": "",
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
                "excerpt": "",
            }
        ],
        "mounts": [],
        "findings": [],
    }


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
        "excerpt": "",
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


@pytest.mark.usefixtures("clean_process")
def test_check_loads_what_the_command_line_says(run, tmp_path):
    (tmp_path / "storefront.py").write_text("def app(environ, start_response): ...\n")
    (tmp_path / "static").mkdir()
    place = tmp_path / "storefront.py"
    assert run("check", "storefront:app", "/static=./static", "/admin=storefront:ap") == (
        3,
        (
            "ok      /        storefront:app  WSGI\n"
            "ok      /static  ./static        static\n"
            "FAILED  /admin   storefront:ap\n"
            f'        "storefront" has no "ap" ({place})\n'
            '        Did you mean "app"?\n'
        ),
        "",
    )
    code, out, _ = run("check", "storefront:app", "/admin=storefront:ap", "--format", "json", "--only", "/admin")
    (mount,) = json.loads(out)["mounts"]
    assert (code, mount["mount"]) == (3, "/admin")
    assert mount["problems"][0]["key"] == "/admin=storefront:ap"
    code, out, _ = run("check", "/admin=storefront:ap", "--format", "github")
    assert out.startswith('::error line=1,title=cannot be loaded::"storefront" has no "ap"')


@pytest.mark.parametrize("target", ["{}:app", "{}.py:app", "os:{}", "os:{}()", "{0}.{0}"])
def test_a_target_of_any_length_is_told_in_a_few_lines(run, target):
    code, out, err = run("check", target.format("a" * 5000))
    assert code == 3
    assert len(out) + len(err) < 1500
    assert "aaa…aaa" in out


@pytest.mark.usefixtures("clean_process")
def test_only_what_is_selected_is_reported_and_an_unknown_code_is_a_problem(run, write_config):
    write_config(f'ignore = ["MS102"]\n{GOOD}')
    assert "note MS117 ignore: MS102 is ignored" in run("check", "--select", "ms11")[1]
    assert "MS117" not in run("check", "--select", "MS2", "--select", "MS102")[1]
    code, out, err = run("check", "--select", "QQ")
    assert (code, out) == (1, "")
    assert err == (
        f"Error: {Path.cwd() / 'multiserve.toml'}:\n"
        '--select: no check has a code that begins with "QQ"\n'
        '    "multiserve check --list" prints all codes.\n'
    )
