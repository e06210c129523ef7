"""What is true of every framework: what is silent, and that nothing can break it."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from multiserve import frameworks
from multiserve.frameworks import InnerRequest, find_route, inspect_application

flask = pytest.importorskip("flask")

SITE = flask.Flask("site")


class Vicious(flask.Flask):
    """Whatever is asked of it, it raises, once it is armed."""

    def __getattribute__(self, name):
        if sys.modules.get("armed"):
            raise SystemExit(name)
        return super().__getattribute__(name)


def test_an_application_that_raises_whatever_is_read_breaks_nothing(monkeypatch):
    application = Vicious("vicious")
    monkeypatch.setitem(sys.modules, "armed", types.ModuleType("armed"))
    assert (inspect_application(application), find_route(application, InnerRequest("/"))) == (None, None)


class Half(flask.Flask):
    """Some of what is asked of it raises."""

    @property
    def url_map(self):
        raise RuntimeError("no map")

    @url_map.setter
    def url_map(self, _):
        pass

    @property
    def debug(self):
        raise SystemExit("no debug")


def test_a_fact_that_cannot_be_read_is_unknown_and_the_others_are_there(monkeypatch):
    monkeypatch.setattr(flask.Flask, "add_url_rule", lambda *args, **kwargs: None)
    facts = inspect_application(Half("half"))
    assert (facts.routes, facts.debug, facts.logger, facts.cookies) == (None, None, "half", ())


def test_control_c_is_not_swallowed(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("multiserve.frameworks.flask.read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        inspect_application(SITE)


WITHOUT_ANY = """
import sys
from multiserve.frameworks import InnerRequest, find_route, inspect_application

assert inspect_application(print) is None and find_route(print, InnerRequest("/")) is None
names = "asyncio bottle dash django falcon fastapi flask litestar pyramid quart starlette werkzeug"
print([name for name in names.split() if name in sys.modules])
"""


def test_no_framework_is_imported_and_none_is_needed():
    folder = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", WITHOUT_ANY], capture_output=True, check=True, text=True, cwd=folder)
    assert done.stdout == "[]\n"


def test_an_inspector_reads_each_application_once(monkeypatch) -> None:
    read = []
    monkeypatch.setattr(frameworks, "inspect_application", read.append)
    inspector = frameworks.Inspector()
    one, other = object(), object()
    assert [inspector.facts_of(each) for each in (one, other, one, None)] == [None] * 4
    assert read == [one, other]
