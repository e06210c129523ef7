"""Objects that are taken for applications; the parts of frameworks are real ones."""

from __future__ import annotations

import pytest

from multiserve.config.targets import parse_target
from multiserve.errors import LoadError
from multiserve.loading.applications import load
from multiserve.loading.lookalikes import describe_lookalike

REGISTER = "Register it with app.register_blueprint(), and mount the app."


@pytest.mark.parametrize(
    ("package", "code", "what", "hint"),
    [
        pytest.param("flask", "flask.Blueprint('x', 'x')", "a blueprint of Flask", REGISTER, id="Flask"),
        pytest.param(
            "fastapi", "fastapi.APIRouter()", "a router of FastAPI",
            "Include it with app.include_router(), and mount the app.", id="FastAPI",
        ),
        pytest.param(
            "litestar", "litestar.Router('/', route_handlers=[])", "a router of Litestar",
            "Mount the application that has it: Litestar([router]).", id="Litestar",
        ),
    ],
)  # fmt: skip
def test_a_part_of_an_application_is_refused(tmp_path, monkeypatch, clean_process, package, code, what, hint):
    pytest.importorskip(package)
    (tmp_path / "part_of_tests.py").write_text(f"import {package}\n\npart = {code}\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LoadError) as caught:
        load(parse_target("part_of_tests:part"), prefix="", key="", folder=tmp_path)
    problem = caught.value.problems[0]
    assert (problem.message, problem.hint) == (f'"part_of_tests:part" is not an application: it is {what}', hint)


@pytest.mark.parametrize(
    ("module", "name", "what"),
    [
        pytest.param(
            "aiohttp.web_app", "Application", "an application of aiohttp, which is neither WSGI nor ASGI", id="aiohttp"
        ),
        pytest.param(
            "tornado.web", "Application", "an application of Tornado, which is neither WSGI nor ASGI", id="Tornado"
        ),
    ],
)
def test_an_application_of_another_interface_is_known_by_its_class(module, name, what):
    kind = type(name, (), {"__module__": module})
    derived = type("Mine", (kind,), {})
    assert describe_lookalike(derived()) == (
        what,
        "multiserve cannot serve it: run it by itself, behind the same proxy.",
    )


def test_an_application_is_what_it_looks_like():
    litestar = pytest.importorskip("litestar")
    assert describe_lookalike(litestar.Litestar()) is None
    assert describe_lookalike(object()) is None
