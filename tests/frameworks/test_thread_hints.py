from __future__ import annotations

import sqlite3
import sys
import types

import pytest

from multiserve.frameworks.facts import InnerRoute
from multiserve.frameworks.thread_hints import thread_hints


class Session:
    """As SQLAlchemy's."""


class ScopedSession:
    """As SQLAlchemy's, which has a session for each thread."""


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _loaded(monkeypatch):
    session, figures = types.ModuleType("sqlalchemy.orm.session"), types.ModuleType("matplotlib.pyplot")
    session.Session = Session
    for module in (session, figures):
        monkeypatch.setitem(sys.modules, module.__name__, module)


def hints_of(monkeypatch, **names):
    views = types.ModuleType("views_of_a_test")
    vars(views).update(names)
    monkeypatch.setitem(sys.modules, "views_of_a_test", views)
    return thread_hints([InnerRoute(path="/", view="views_of_a_test:page"), InnerRoute(path="/x", view="")])


def test_what_is_for_one_thread_is_named_in_order(monkeypatch, connection):
    found = hints_of(monkeypatch, plt=sys.modules["matplotlib.pyplot"], database=connection, a_session=Session())
    assert found == ("views_of_a_test.a_session", "views_of_a_test.database", "views_of_a_test.plt")


def test_what_is_not_known_to_be_for_one_thread_is_silent(monkeypatch):
    assert hints_of(monkeypatch, sqlite3=sqlite3, Session=Session, session=ScopedSession(), number=1) == ()


def test_a_module_that_is_not_loaded_is_silent():
    assert thread_hints([InnerRoute(path="/", view="no_such_module:page")]) == ()
