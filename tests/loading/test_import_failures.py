"""What the exceptions of applications mean, in real imports of modules that are written for each test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from multiserve.config.targets import parse_target
from multiserve.errors import LoadError
from multiserve.loading.applications import load
from multiserve.loading.import_failures import hint_for

CIRCLE = "Import inside the function that needs it, or move what both need into a module of its own."
MODEL = "class Model({base}):\n    port: int\n    secret: str\n    {more}\n\napp = Model(port='x')\n"


@pytest.fixture
def failure(tmp_path, clean_process):
    """Write modules, load an application from them, and give the failure with paths shortened."""

    def fail(files, target):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        sys.path.insert(0, str(tmp_path))
        with pytest.raises(LoadError) as caught:
            load(parse_target(target), prefix="", key="", folder=tmp_path)
        problem = caught.value.problems[0]
        texts = (problem.message.partition("failed: ")[2], problem.hint, problem.excerpt)
        return tuple(text.replace(f"{tmp_path}{os.sep}", "FOLDER/").replace(str(tmp_path), "FOLDER") for text in texts)

    return fail


CASES = [
    pytest.param(
        {"web.py": 'import os\n\nSECRET = os.environ["SECRET_OF_TESTS"]\n'}, "web:app",
        "KeyError: 'SECRET_OF_TESTS' (FOLDER/web.py, line 3)",
        'The environment variable SECRET_OF_TESTS is not set. Set it, or write SECRET_OF_TESTS = "..." under [env].',
        '3 | SECRET = os.environ["SECRET_OF_TESTS"]',
        id="a variable",
    ),
    pytest.param(
        {
            "web.py": "import settings\n",
            "settings.py": "import os\ntry:\n    os.environ['NO_SUCH']\nexcept KeyError:\n    raise ValueError('no')\n",
        },
        "web:app",
        "ValueError: no (FOLDER/settings.py, line 5)",
        'The environment variable NO_SUCH is not set. Set it, or write NO_SUCH = "..." under [env].',
        "5 | raise ValueError('no')",
        id="a variable behind another exception",
    ),
    pytest.param(
        {"web.py": "try:\n    {}['x']\nexcept KeyError:\n    raise RuntimeError('no')\n"}, "web:app",
        "RuntimeError: no (FOLDER/web.py, line 4)", "", "4 | raise RuntimeError('no')",
        id="a key of something else",
    ),
    pytest.param(
        {"web.py": "import os\nSIZE = int(os.getenv('NO_SUCH'))\n"}, "web:app",
        "TypeError: int() argument must be a string, a bytes-like object or a real number, not 'NoneType' "
        "(FOLDER/web.py, line 2)",
        'The environment variable NO_SUCH is not set. Set it, or write NO_SUCH = "..." under [env].',
        "2 | SIZE = int(os.getenv('NO_SUCH'))",
        id="a variable that is None",
    ),
    pytest.param(
        {"web.py": "import os\nHOSTS = os.environ.get('NO_SUCH').split(',')\n"}, "web:app",
        "AttributeError: 'NoneType' object has no attribute 'split' (FOLDER/web.py, line 2)",
        'The environment variable NO_SUCH is not set. Set it, or write NO_SUCH = "..." under [env].',
        "2 | HOSTS = os.environ.get('NO_SUCH').split(',')",
        id="a method of a variable that is None",
    ),
    pytest.param(
        {"web.py": "SIZE = None + 1\n"}, "web:app",
        "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int' (FOLDER/web.py, line 1)", "",
        "1 | SIZE = None + 1",
        id="another None",
    ),
    pytest.param(
        {"web.py": "import sanic\n"}, "web:app",
        "ModuleNotFoundError: No module named 'sanic' (FOLDER/web.py, line 1)",
        f'Install the package "sanic" into {sys.prefix}, where multiserve runs.', "1 | import sanic",
        id="a package of the same name",
    ),
    pytest.param(
        {"web.py": "import flask_login\n"}, "web:app",
        "ModuleNotFoundError: No module named 'flask_login' (FOLDER/web.py, line 1)",
        f'Install the package "flask-login" into {sys.prefix}, where multiserve runs.', "1 | import flask_login",
        id="a package of another name",
    ),
    pytest.param(
        {"web.py": "import qqqq.inner\n"}, "web:app",
        "ModuleNotFoundError: No module named 'qqqq' (FOLDER/web.py, line 1)",
        'Install the package that has "qqqq", or add the folder that has it to pythonpath.', "1 | import qqqq.inner",
        id="a package that is not known",
    ),
    pytest.param(
        {"web.py": "import inventry\n", "inventory.py": ""}, "web:app",
        "ModuleNotFoundError: No module named 'inventry' (FOLDER/web.py, line 1)",
        'Did you mean "inventory"?', "1 | import inventry",
        id="a misspelt module",
    ),
    pytest.param(
        {"back/web.py": "import tables\n", "back/tables.py": ""}, "back/web.py:app",
        "ModuleNotFoundError: No module named 'tables' (FOLDER/back/web.py, line 1)",
        "FOLDER/back/tables.py is in a folder that is not searched: "
        'add the folder to pythonpath, or import it as "back.tables".', "1 | import tables",
        id="a module beside the file",
    ),
    pytest.param(
        {"web.py": "import single.inner\n", "single.py": ""}, "web:app",
        "ModuleNotFoundError: No module named 'single.inner'; 'single' is not a package (FOLDER/web.py, line 1)",
        '"single" is no package, but the module FOLDER/single.py.', "1 | import single.inner",
        id="a module in place of a package",
    ),
    pytest.param(
        {"bottle.py": "from bottle import Bottle\n\napp = Bottle()\n"}, "bottle:app",
        "ImportError: cannot import name 'Bottle' from partially initialized module 'bottle' "
        "(most likely due to a circular import) (FOLDER/bottle.py) (FOLDER/bottle.py, line 1)",
        'FOLDER/bottle.py hides {bottle}. Rename it, for instance to "bottle_app.py".', "1 | from bottle import Bottle",
        id="a file that hides the framework it imports",
    ),
    pytest.param(
        {"bottle/__init__.py": "import bottle\n\napp = bottle.Bottle()\n"}, "bottle:app",
        "AttributeError: partially initialized module 'bottle' has no attribute 'Bottle' "
        "(most likely due to a circular import) (FOLDER/bottle/__init__.py, line 3)",
        'FOLDER/bottle hides {bottle}. Rename it, for instance to "bottle_app".', "3 | app = bottle.Bottle()",
        id="a folder that hides the framework it imports",
    ),
    pytest.param(
        {"web.py": "from bottle import Bottle\n", "bottle.py": ""}, "web:app",
        "ImportError: cannot import name 'Bottle' from 'bottle' (FOLDER/bottle.py) (FOLDER/web.py, line 1)",
        'FOLDER/bottle.py hides {bottle}. Rename it, for instance to "bottle_app.py".', "1 | from bottle import Bottle",
        id="a file that hides a framework from another",
    ),
    pytest.param(
        {"web.py": "import views\n\napp = 1\n", "views.py": "import more\n", "more.py": "from web import app\n"},
        "web:app",
        "ImportError: cannot import name 'app' from partially initialized module 'web' "
        "(most likely due to a circular import) (FOLDER/web.py) (FOLDER/more.py, line 1)",
        f"The imports go in a circle: web -> views -> more -> web. {CIRCLE}", "1 | from web import app",
        id="a circle of names",
    ),
    pytest.param(
        {"web.py": "import views\n\napp = 1\n", "views.py": "import web\n\nweb.app\n"}, "web:app",
        "AttributeError: partially initialized module 'web' has no attribute 'app' "
        "(most likely due to a circular import) (FOLDER/views.py, line 3)",
        f"The imports go in a circle: web -> views -> web. {CIRCLE}", "3 | web.app",
        id="a circle of modules",
    ),
    pytest.param(
        {"web.py": "from views import indx\n", "views.py": "index = 1\n"}, "web:app",
        "ImportError: cannot import name 'indx' from 'views' (FOLDER/views.py) (FOLDER/web.py, line 1)",
        'Did you mean "index"?', "1 | from views import indx",
        id="a misspelt name",
    ),
    pytest.param(
        {"web.py": "from .views import index\n", "views.py": "index = 1\n"}, "web:app",
        "ImportError: attempted relative import with no known parent package (FOLDER/web.py, line 1)",
        "web.py is in no package: take the dot out of the import.", "1 | from .views import index",
        id="a relative import without a package",
    ),
    pytest.param(
        {"web.py": "from .views import index\n", "__init__.py": ""}, "web:app",
        "ImportError: attempted relative import with no known parent package (FOLDER/web.py, line 1)",
        'FOLDER is a package: add {above} to pythonpath, and mount "{name}.web".', "1 | from .views import index",
        id="a relative import in a package that is imported as a module",
    ),
    pytest.param(
        {"shop/web.py": "from ..views import index\n", "views.py": ""}, "shop.web:app",
        "ImportError: attempted relative import beyond top-level package (FOLDER/shop/web.py, line 1)",
        'Take a dot out of the import: "shop" is the outermost package around the file.',
        "1 | from ..views import index",
        id="a relative import with a dot too many",
    ),
    pytest.param(
        {"web.py": "open('data/of_tests.csv')\n", "data/of_tests.csv": ""}, "web:app",
        "FileNotFoundError: [Errno 2] No such file or directory: 'data/of_tests.csv' (FOLDER/web.py, line 1)",
        "FOLDER/data/of_tests.csv is there, but the working directory is {cwd}. "
        "Build the path from Path(__file__).parent.",
        "1 | open('data/of_tests.csv')",
        id="a file beside the code",
    ),
    pytest.param(
        {"web.py": "open('nowhere.csv')\n"}, "web:app",
        "FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.csv' (FOLDER/web.py, line 1)", "",
        "1 | open('nowhere.csv')",
        id="a file that is nowhere",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "target", "message", "hint", "shown"), CASES)
def test_an_import_that_fails_says_what_to_do(failure, monkeypatch, tmp_path, files, target, message, hint, shown):
    if "{bottle}" in hint:
        hint = hint.replace("{bottle}", pytest.importorskip("bottle").__file__)
        monkeypatch.delitem(sys.modules, "bottle")
    for name in ("NO_SUCH", "SECRET_OF_TESTS"):
        monkeypatch.delenv(name, raising=False)
    hint = hint.replace("{cwd}", str(Path.cwd())).replace("{above}", str(tmp_path.parent))
    assert failure(files, target) == (message, hint.replace("{name}", tmp_path.name), shown)


DJANGO = "from django.conf import settings\n\nsettings.DEBUG\n"
NOT_CONFIGURED = (
    "django.core.exceptions.ImproperlyConfigured: Requested setting DEBUG, but settings are not configured. You must "
    "either define the environment variable DJANGO_SETTINGS_MODULE or call settings.configure() before accessing "
    "settings. (FOLDER/web.py, line 3)"
)


@pytest.mark.parametrize(
    ("more", "module"),
    [
        pytest.param({"shop/settings.py": ""}, "shop.settings", id="the only one there is"),
        pytest.param({}, "project.settings", id="none"),
        pytest.param({"shop/settings.py": "", "blog/settings.py": ""}, "project.settings", id="two"),
    ],
)
def test_django_without_settings_says_which(failure, monkeypatch, more, module):
    conf = pytest.importorskip("django.conf")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setattr(conf, "settings", conf.LazySettings())
    hint = f'Write DJANGO_SETTINGS_MODULE = "{module}" under [env].'
    assert failure({"web.py": DJANGO, **more}, "web:app") == (NOT_CONFIGURED, hint, "3 | settings.DEBUG")


def test_settings_of_django_that_are_not_there_are_named(failure, monkeypatch):
    conf = pytest.importorskip("django.conf")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shp.settings")
    monkeypatch.setattr(conf, "settings", conf.LazySettings())
    assert failure({"web.py": DJANGO}, "web:app") == (
        "ModuleNotFoundError: No module named 'shp' (FOLDER/web.py, line 3)",
        'DJANGO_SETTINGS_MODULE is "shp.settings": correct it where it is set, or under [env].',
        "3 | settings.DEBUG",
    )


def test_models_of_django_before_its_set_up_say_what_sets_it_up(failure):
    pytest.importorskip("django")
    text = "from django.core.exceptions import AppRegistryNotReady as NotReady\n\nraise NotReady('no apps')\n"
    hint = (
        "Mount the wsgi.py or asgi.py of the Django project, which sets Django up, "
        "or call django.setup() before this import."
    )
    assert failure({"web.py": text}, "web:app") == (
        "django.core.exceptions.AppRegistryNotReady: no apps (FOLDER/web.py, line 3)",
        hint,
        "3 | raise NotReady('no apps')",
    )


def test_a_model_of_pydantic_names_its_fields(failure):
    pytest.importorskip("pydantic")
    text = "from pydantic import BaseModel\n\n" + MODEL.format(base="BaseModel", more="url: str")
    assert failure({"web.py": text}, "web:app") == (
        "pydantic_core._pydantic_core.ValidationError: 3 validation errors for Model (FOLDER/web.py, line 8)",
        "Missing: secret, url. port: Input should be a valid integer, unable to parse string as an integer.",
        "8 | app = Model(port='x')",
    )


def test_settings_of_pydantic_are_environment_variables(failure, tmp_path):
    pytest.importorskip("pydantic")
    # The package is not among what the tests install; what it does is to call pydantic from a file of its own.
    settings = "from pydantic import BaseModel\n\nclass BaseSettings(BaseModel):\n"
    settings += "    def __init__(self, **values):\n        super().__init__(**values)\n"
    text = "from site_packages.pydantic_settings.main import BaseSettings\n\n"
    files = {"site_packages/pydantic_settings/main.py": settings}
    files["web.py"] = text + MODEL.format(base="BaseSettings", more="").replace("port='x'", "port=1")
    assert failure(files, "web:app")[1] == (
        "Missing: secret. Set their environment variables, or write them under [env]."
    )


class StubbornError(ImportError):
    """An exception that refuses to be looked into."""

    def __str__(self):
        raise RuntimeError("no")


def test_an_exception_that_cannot_be_looked_into_has_no_hint():
    assert hint_for(StubbornError()) == ""


def test_exceptions_that_are_each_the_cause_of_the_other_have_no_hint():
    one, two = ValueError(), ValueError()
    one.__context__, two.__context__ = two, one
    assert hint_for(one) == ""
