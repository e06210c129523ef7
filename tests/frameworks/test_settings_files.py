from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from multiserve.frameworks import Facts
from multiserve.frameworks.settings_files import settings_file

flask = pytest.importorskip("flask")


def test_flask_has_its_settings_where_it_is_made():
    facts = Facts(application=flask.Flask(__name__), framework="Flask", version="")
    assert settings_file(facts) == __file__


@pytest.mark.parametrize(
    ("application", "framework"),
    [
        pytest.param(flask.Flask("no.such.module", root_path="/"), "Flask", id="a name that is no module"),
        pytest.param(flask.Flask("_io", root_path="/"), "Flask", id="a module without a file"),
        pytest.param(object(), "Falcon", id="another framework"),
        pytest.param(None, "Flask", id="in another process"),
    ],
)
def test_it_is_not_known(application, framework):
    assert settings_file(Facts(application=application, framework=framework, version="")) == ""


def test_django_has_them_in_its_module_of_settings(monkeypatch):
    monkeypatch.setitem(sys.modules, "django.conf", ModuleType("django.conf"))
    monkeypatch.setitem(sys.modules, "shop_settings", SimpleNamespace(__file__="/shop/settings.py"))
    facts = Facts(application=None, framework="Django", version="", settings_module="shop_settings")
    assert settings_file(facts) == "/shop/settings.py"
