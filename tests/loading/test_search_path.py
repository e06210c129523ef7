"""Where modules are found, and which of them hides another."""

from __future__ import annotations

import importlib
import queue
import sys

import pytest

from multiserve.loading.search_path import hidden_module, own_file, where_to_look

ANYWHERE = "or add the folder that has it to pythonpath."


@pytest.fixture
def folder(tmp_path, clean_process):
    """A folder on the search path with a package of one module."""
    (tmp_path / "shop_of_tests").mkdir()
    (tmp_path / "shop_of_tests" / "__init__.py").touch()
    (tmp_path / "shop_of_tests" / "views.py").touch()
    (tmp_path / "queue.py").touch()
    sys.path.insert(0, str(tmp_path))
    importlib.import_module("shop_of_tests.views")
    return tmp_path


@pytest.mark.parametrize(
    ("missing", "hint"),
    [
        pytest.param("shop_of_test", 'Did you mean "shop_of_tests.main"?', id="a near module"),
        pytest.param("Shop_Of_Tests", 'Did you mean "shop_of_tests.main"?', id="in capitals"),
        pytest.param("shop_of_tests.view", 'Did you mean "shop_of_tests.views.main"?', id="near in a package"),
        pytest.param(
            "shop_of_tests.zzz",
            'The package "shop_of_tests" is there, but nothing in it is called "zzz".',
            id="not in it",
        ),
        pytest.param(
            "shop_of_tests.views.zzz",
            'The module "shop_of_tests.views" is there, but nothing in it is called "zzz".',
            id="no package",
        ),
        pytest.param("sanic", f'Install the package "sanic" into {sys.prefix}, where multiserve runs.', id="known"),
        pytest.param(
            "cv2", f'Install the package "opencv-python" into {sys.prefix}, where multiserve runs.', id="other"
        ),
        pytest.param("zzzz", f"Install the package that has it, {ANYWHERE}", id="not known"),
    ],
)
def test_a_missing_module_says_where_to_look(folder, missing, hint):
    assert where_to_look(missing, ".main") == hint


def test_a_file_that_another_module_hides_is_found(folder):
    assert own_file("queue", queue, folder) == folder / "queue.py"
    assert own_file("queue", queue, folder / "elsewhere") == folder / "queue.py"  # by the search path


@pytest.mark.parametrize("name", ["shop_of_tests", "shop_of_tests.views"])
def test_a_module_that_comes_from_its_own_file_is_not_hidden(folder, name):
    assert own_file(name, sys.modules[name], folder) is None


def test_what_has_no_file_of_the_user_is_not_hidden(folder):
    assert own_file("json", importlib.import_module("json"), folder) is None
    assert own_file("queue", None, folder) is None


def test_a_file_of_the_user_hides_a_module_of_its_name(folder):
    assert hidden_module("queue", str(folder / "queue.py")) == queue.__file__


@pytest.mark.parametrize(
    ("name", "file"),
    [
        pytest.param("queue", queue.__file__, id="the module itself"),
        pytest.param("shop_of_tests.queue", "queue.py", id="in a package"),
        pytest.param("shop_of_tests", "shop_of_tests/__init__.py", id="a name that nothing else has"),
    ],
)
def test_anything_else_hides_nothing(folder, name, file):
    assert hidden_module(name, str(folder / file)) == ""
