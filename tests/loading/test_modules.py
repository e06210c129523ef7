"""From a module and a dotted name to the object there; what fails is told by the tests of applications, too."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from multiserve.config.targets import parse_target
from multiserve.loading.modules import Failure, blamed, find_attribute, import_module, kind_of

APPS = Path(__file__).parents[1] / "apps"


@pytest.fixture(autouse=True)
def _search_path(clean_process):
    sys.path.insert(0, str(APPS))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("good:app", "good", id="a module"),
        pytest.param("package.main:app", "package.main", id="a module of a package"),
        pytest.param("good.py:app", "good", id="a file"),
        pytest.param("package/main.py:app", "package.main", id="a file in a folder"),
    ],
)
def test_a_module_is_imported(text, name):
    assert import_module(parse_target(text), APPS) is sys.modules[name]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("goood:app", 'there is no module "goood"', 'Did you mean "good"?', id="nearly the name"),
        pytest.param(
            "package.man:app", 'there is no module "package.man"', 'Did you mean "package.main"?', id="in a package"
        ),
        pytest.param(
            "xyzzy:app", 'there is no module "xyzzy"',
            "Install the package that has it, or add the folder that has it to pythonpath.", id="nothing like it",
        ),
    ],
)  # fmt: skip
def test_a_module_that_is_not_there_says_where_to_look(text, message, hint):
    with pytest.raises(Failure) as caught:
        import_module(parse_target(text), APPS)
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_a_file_beside_a_package_of_its_name_is_the_one_to_rename(tmp_path):
    (tmp_path / "q_apps" / "one").mkdir(parents=True)
    (tmp_path / "q_apps" / "one" / "__init__.py").touch()
    (tmp_path / "q_apps" / "one.py").write_text("app = 1\n")
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(Failure) as caught:
        import_module(parse_target("q_apps/one.py:app"), tmp_path)
    package, file = tmp_path / "q_apps" / "one" / "__init__.py", tmp_path / "q_apps" / "one.py"
    assert str(caught.value) == f'the module name "q_apps.one" is taken by {package}, which hides {file}'
    assert caught.value.hint == 'Rename the file "one.py" or the folder beside it.'


def test_a_dotted_name_is_followed():
    module = ModuleType("site")
    module.inner = ModuleType("inner")
    module.inner.app = app = object()
    assert find_attribute(module, "site", "inner.app") is app


def test_a_name_that_is_not_there_says_how_far_it_went():
    module = ModuleType("site")
    module.inner = ModuleType("inner")
    module.inner.app = object()
    with pytest.raises(Failure) as caught:
        find_attribute(module, "site", "inner.ap")
    assert (str(caught.value), caught.value.hint) == ('"site.inner" has no "ap"', 'Did you mean "app"?')


def test_whatever_is_raised_is_blamed_on_the_application():
    with pytest.raises(Failure) as caught, blamed('importing "site" failed: '):
        raise SystemExit(3)
    assert str(caught.value).startswith('importing "site" failed: SystemExit: 3')
    assert isinstance(caught.value.__cause__, SystemExit)


def test_control_c_is_the_users():
    with pytest.raises(KeyboardInterrupt), blamed("importing failed: "):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "None"), (3, "an int"), ("x", "a str"), ([], "a list")],
    ids=["None", "int", "str", "list"],
)
def test_the_kind_of_a_value_has_its_article(value, kind):
    assert kind_of(value) == kind
