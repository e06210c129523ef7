from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from multiserve.checks import CHECKS, TOPICS, Check, capacity, find_all, look_at, settle
from multiserve.cli import main
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts, InnerRoute
from multiserve.loading.side_effects import Recorder
from multiserve.servers.production.settings import defaults

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parents[1] / "compositions"
# That of groups needs another environment; tests/end_to_end/test_isolated.py makes it.
EXAMPLES = [path for path in sorted((ROOT / "examples").glob("*/multiserve.toml")) if path.parent.name != "isolated"]
MEGABYTE = 2**20

# Imported once and by all, for what a composition imports is forgotten after it.
for name in (
    "bottle", "falcon.asgi", "fastapi", "flask", "litestar.contrib", "pyramid.config", "starlette.middleware.sessions"
):  # fmt: skip
    with contextlib.suppress(ImportError), warnings.catch_warnings(action="ignore"):
        importlib.import_module(name)

NEEDED = {  # what a composition is made of, beside Flask, Starlette and FastAPI
    **dict.fromkeys(("MS106", *(f"MS16{number}" for number in range(9))), "bottle"),
    **dict.fromkeys(("MS114", "MS115", "MS116", "MS190", "MS191", "MS192", "MS193"), "bottle"),
    **dict.fromkeys(("MS107", "MS110", "MS131", "MS140", "MS142", "MS183"), "django"),
    "MS103": "pyramid",
    "MS104": "falcon",
    "MS133": "dash",  # it is large, and not among the dependencies of the tests
    "MS141": "litestar",
}
OF_THEIR_OWN = (  # the settings of Django cannot be taken back, nor those of the process
    *("MS107", "MS110", "MS131", "MS140", "MS142", "MS183", "MS185"),
    *("MS114", "MS116", "MS190", "MS191", "MS192", "MS193"),  # nor the default application of Bottle
)
TO_BE_ENDED = {"MS160": lambda shop: shop.ended.set(), "MS170": lambda shop: shop.database.close()}
PROBED = {"MS209": ("--probe", "--alone"), **dict.fromkeys((f"MS21{number}" for number in range(8)), ("--probe",))}
FOR = {**dict.fromkeys(("MS181", "MS182", "MS183", "MS185"), "compose"), "MS184": "kubernetes"}  # what runs them
IN_PRODUCTION = ("MS142", "MS150", "MS156", "MS171", "MS172", "MS173")


def find_in_process(path, *, is_production=False, engine=""):
    """Find what is wrong, as `check` does; seconds and memory depend on the machine, and are as the folder has them."""
    recorder = Recorder()
    config = replace(load_config(path), engine=engine)
    composition = compose(config, observe=lambda mount: recorder.watch(mount.name))
    assert not composition.failures
    given = path.parent / "effects.json"
    costs = json.loads(given.read_text()) if given.exists() else {}
    effects = {
        key: replace(each, **{"seconds": 0.0, "memory": 0, **costs.get(key, {})})
        for key, each in recorder.effects.items()
    }
    gunicorn = {**defaults(composition.config), **composition.config.gunicorn}
    subject = look_at(composition, effects, gunicorn=gunicorn, is_production=is_production)
    found = [asdict(finding) for finding in settle(find_all(subject), composition.config)]
    for each in found:
        del each["edit"]  # tests/cli/test_mending.py makes them
    return json.loads(json.dumps(found))


def find_in_process_of_its_own(path, *options):
    command = [sys.executable, "-m", "multiserve", "check", "-c", str(path), "--format", "json", *options]
    environment = {**os.environ, "TZ": "UTC"}
    result = json.loads(subprocess.run(command, capture_output=True, env=environment, check=False).stdout)
    assert all(mount["ok"] for mount in result["mounts"])
    assert result["mounts"]
    found = [each for each in result["findings"] if each["code"] not in ("MS164", "MS171")]  # they are the machine's
    assert all(each.pop("documentation").endswith(f"#{each['code'].lower()}") for each in found)
    return found


@pytest.fixture
def find(monkeypatch, request):
    """Find what is wrong with the broken, or the clean, composition of a code."""

    def run(code, twin):
        path = FOLDER / code / twin / "multiserve.toml"
        if code in NEEDED:
            pytest.importorskip(NEEDED[code])
        if code in OF_THEIR_OWN:
            options = [
                *(["--production"] if code in IN_PRODUCTION else []),
                *(["--for", FOR[code]] if code in FOR else []),
            ]
            return find_in_process_of_its_own(path, *options)
        request.getfixturevalue("kept_process")
        monkeypatch.delenv("TZ", raising=False)
        monkeypatch.setattr(capacity, "_resident", lambda: 100 * MEGABYTE)
        monkeypatch.setattr(capacity, "_available", lambda: 4000 * MEGABYTE)
        found = find_in_process(path, is_production=code in IN_PRODUCTION, engine=FOR.get(code, ""))
        if twin == "broken" and code in TO_BE_ENDED:
            TO_BE_ENDED[code](sys.modules["shop"])
        return found

    return run


@pytest.mark.filterwarnings("ignore::DeprecationWarning:dash")
@pytest.mark.parametrize("code", CHECKS)
def test_what_is_wrong_with_a_composition_is_found_and_nothing_else(find, code):
    text = (FOLDER / code / "expected.json").read_text().replace("{folder}", str(FOLDER / code / "broken"))
    expected = json.loads(text)
    assert {each["code"] for each in expected} == {code}
    assert find(code, "broken") == expected


@pytest.mark.filterwarnings("ignore::DeprecationWarning:dash")
@pytest.mark.parametrize("code", CHECKS)
def test_nothing_is_found_in_its_clean_twin(find, code):
    assert find(code, "clean") == []


@pytest.mark.timeout(600)  # more than twenty processes, one after the other
@pytest.mark.parametrize(("code", "options"), PROBED.items(), ids=PROBED)
def test_what_is_wrong_is_found_by_requests(code, options):
    expected = json.loads((FOLDER / code / "expected.json").read_text())
    assert {each["code"] for each in expected} == {code}
    assert find_in_process_of_its_own(FOLDER / code / "broken" / "multiserve.toml", *options) == expected


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("code", "options"), PROBED.items(), ids=PROBED)
def test_nothing_is_found_by_requests_in_its_clean_twin(code, options):
    assert find_in_process_of_its_own(FOLDER / code / "clean" / "multiserve.toml", *options) == []


def test_what_the_url_configuration_of_django_does_to_the_process_is_found(tmp_path):
    pytest.importorskip("django")
    shutil.copytree(FOLDER / "MS107" / "clean", tmp_path, dirs_exist_ok=True)
    urls = tmp_path / "shop" / "urls.py"
    urls.write_text(f"import os\nos.chdir('/')\n{urls.read_text()}")
    (tmp_path / "blog.py").write_text("def app(environ, start_response): ...")
    with (tmp_path / "multiserve.toml").open("a") as file:
        file.write('"/blog" = "blog:app"\n')
    found = find_in_process_of_its_own(tmp_path / "multiserve.toml")
    assert [(each["code"], each["message"]) for each in found] == [
        ("MS161", "loading it changes the working directory to /")
    ]


# The catalogue itself.


def test_every_code_has_a_broken_composition_and_a_clean_twin():
    with_one = [*CHECKS, *PROBED]
    assert sorted(path.name for path in FOLDER.iterdir() if path.name != "__pycache__") == sorted(with_one)
    for code in with_one:
        assert all((FOLDER / code / twin / "multiserve.toml").is_file() for twin in ("broken", "clean"))


def test_no_two_checks_have_one_code():
    names = {path.stem for path in (ROOT / "multiserve" / "checks").glob("*.py")} - {"__init__"}
    modules = [importlib.import_module(f"multiserve.checks.{name}") for name in sorted(names)]
    codes = [value.code for module in modules for value in vars(module).values() if isinstance(value, Check)]
    assert sorted(codes) == list(CHECKS)


@pytest.mark.parametrize("check", TOPICS.values(), ids=TOPICS)
def test_every_check_says_what_it_has_to(check):
    assert re.fullmatch(r"MS[1-9][0-9]{2}", check.code)
    assert check.severity in ("error", "warning", "note")
    assert check.title[-1].isalnum()
    assert check.consequence.endswith(".")
    assert check.explanation.endswith((".", ".)"))


def test_a_code_that_is_none_is_wrong_usage():
    result = CliRunner().invoke(main, ["check", "--explain", "MS102x"])
    assert result.exit_code == 2
    assert result.output.endswith('for \'--explain\': there is no check "MS102x". Did you mean "MS102"?\n')


BOTH_WAYS = """
import sys
from multiserve.cli import main
for options in ["--production"], []:
    try:
        main(["check", "-c", sys.argv[1], "--format", "json", *options])
    except SystemExit as end:
        assert not end.code
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_nothing_is_found_in_the_examples(path):
    command = [sys.executable, "-c", BOTH_WAYS, str(path)]
    out = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"}, check=True).stdout
    first, end = json.JSONDecoder().raw_decode(out)
    for result in first, json.loads(out[end:]):
        assert len(result["mounts"]) > 1
        assert [each for each in result["findings"] if each["code"] not in ("MS164", "MS171")] == []


IGNORES = [
    pytest.param("", "", ["MS207", "MS205"], id="nothing"),
    pytest.param('ignore = ["MS205"]', "", ["MS207"], id="everywhere"),
    pytest.param("", ', ignore = ["MS205"]', ["MS207"], id="on one of the mounts that it concerns"),
    pytest.param("", ', ignore = ["MS207"]', ["MS207", "MS205"], id="on a mount that it does not concern"),
]


@pytest.mark.parametrize(("everywhere", "on_b", "codes"), IGNORES)
def test_findings_of_checks_and_of_a_probe_are_ignored_alike(write_config, everywhere, on_b, codes):
    config = load_config(write_config(f'{everywhere}\n[mounts]\n"/a" = "x:a"\n"/b" = {{ app = "x:b"{on_b} }}'))
    shared = TOPICS["MS205"].finding(mounts=("/a", "/b"), key="", message="a cookie", cure="")
    failed = TOPICS["MS207"].finding(mounts=("/a",), key="", message="it raised", cure="")
    assert [each.code for each in settle([shared, failed], config)] == codes


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('ignore = ["MS104"]\n[mounts]\n"/a" = "plain:app"', id="globally"),
        pytest.param('[mounts]\n"/a" = { app = "plain:app", ignore = ["MS104"] }', id="on the mount"),
    ],
)
def test_what_is_ignored_is_not_said(look, text):
    known = {"/a": facts("Falcon", takes_whole_path=True, routes=(InnerRoute(path="/x"),))}
    assert [code for code, *_ in look(text.replace("MS104", "MS999"), known)] == ["MS104", "MS100"]
    assert look(text, known) == []


@pytest.mark.usefixtures("kept_process")
def test_keys_are_those_of_pyproject(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.multiserve]\nignore = ["MS999"]\n[tool.multiserve.mounts]\n"/" = { redirect = "/" }')
    config = load_config(path)
    found = settle(find_all(look_at(compose(config), {})), config)
    assert [(each.code, each.key) for each in found] == [
        ("MS105", 'tool.multiserve.mounts."/"'),
        ("MS100", "tool.multiserve.ignore"),
    ]
