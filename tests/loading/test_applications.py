from __future__ import annotations

import asyncio
import importlib
import re
import sys
import traceback
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from multiserve._types import Loaded
from multiserve.config.targets import parse_target
from multiserve.errors import LoadError, Problem
from multiserve.loading.applications import load

APPS = Path(__file__).parents[1] / "apps"
KEY = 'mounts."/x"'
PATHS = "Paths are relative to the folder of the configuration."
NEITHER = "neither (environ, start_response) nor (scope, receive, send)"
PYTHONPATH = "or add the folder that has it to pythonpath."


@pytest.fixture(autouse=True)
def _search_path(clean_process):
    sys.path.insert(0, str(APPS))


def loaded(text, *, prefix="", folder=APPS, interface=None) -> Loaded:
    return load(parse_target(text), prefix=prefix, key=KEY, folder=folder, interface=interface)


def failure(text, *, folder=APPS, interface=None) -> LoadError:
    with pytest.raises(LoadError) as caught:
        loaded(text, folder=folder, interface=interface)
    return caught.value


def where(name, text):
    """Give the place of a line, as messages have it."""
    path = APPS / name
    lines = path.read_text("utf-8").splitlines()
    return f"({path}, line {next(number for number, line in enumerate(lines, 1) if text in line)})"


def shown(message):
    """Give the line that a message names at its end, as it is shown below."""
    place = re.search(r"\(([^() ]+), line (\d+)\)$", message)
    return f"{place[2]} | {Path(place[1]).read_text('utf-8').splitlines()[int(place[2]) - 1].strip()}" if place else ""


def get(application):
    environ = {}
    setup_testing_defaults(environ)
    return b"".join(application(environ, lambda *_: None))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("good:app", id="a function"),
        pytest.param("good:lambda_app", id="a lambda"),
        pytest.param("good:instance", id="a callable instance"),
        pytest.param("good:Iterable", id="a class whose instances are the response"),
        pytest.param("good:method", id="a bound method"),
        pytest.param("good:partial", id="a partial"),
        pytest.param("good:decorated", id="a decorated function that takes something else"),
        pytest.param("good:namespace.inner.app", id="a dotted attribute"),
        pytest.param("good:Callable()", id="an instance made from its class"),
        pytest.param("good:takes_nothing()", id="a factory"),
        pytest.param("good:takes_one('x')", id="a factory with an argument"),
        pytest.param("good", id="a module with an app"),
        pytest.param("both", id="a module with an application and an app"),
        pytest.param("only_factory", id="a module with a factory"),
        pytest.param("package", id="a package"),
        pytest.param("package.main", id="a module in a package"),
        pytest.param("lazy", id="a module that makes its attributes"),
        pytest.param("lazy:app", id="an attribute made by the module"),
        pytest.param("good.py", id="a file"),
        pytest.param("good.py:app", id="a file with an attribute"),
        pytest.param("good.py:takes_nothing()", id="a file with a call"),
        pytest.param("with-dash.py", id="a file that no import could name"),
        pytest.param("package/main.py:app", id="a file in a package"),
        pytest.param("package/__init__.py", id="the file of a package"),
        pytest.param("shop/app.py", id="a file in a folder that is no package"),
    ],
)
def test_a_wsgi_application_is_loaded(text):
    application, interface = loaded(text)
    assert interface == "wsgi"
    assert get(application) == b"|/"


def test_application_comes_before_app():
    assert loaded("both").application is importlib.import_module("both").application


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("asgi_app", id="a module with an app"),
        pytest.param("asgi_app:app", id="a coroutine function"),
        pytest.param("asgi_app:instance", id="a callable instance"),
        pytest.param("asgi_app:method", id="a bound method"),
        pytest.param("asgi_app:partial", id="a partial"),
        pytest.param("asgi_app:decorated", id="a decorated function"),
        pytest.param("asgi_app:Callable()", id="an instance made from its class"),
        pytest.param("asgi_app.py", id="a file"),
        pytest.param("factories:returns_asgi()", id="a factory"),
    ],
)
def test_an_asgi_application_is_loaded(text):
    application, interface = loaded(text)
    assert interface == "asgi"
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(application({"type": "http"}, None, send))
    assert sent == ["answered"]


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("good:app", id="WSGI"),
        pytest.param("asgi_app:app", id="ASGI"),
        pytest.param("asgi_app:DoubleCallable", id="ASGI 2"),
        pytest.param("good:takes_four", id="neither"),
        pytest.param("shy:app", id="what cannot be looked into"),
        pytest.param("factories:returns_asgi()", id="a factory"),
    ],
)
def test_the_interface_that_is_declared_counts(text, interface):
    assert loaded(text, interface=interface).interface == interface


def test_a_factory_gets_its_literals_and_the_prefix():
    application = loaded("factories:create_app('staging', prefix, [1, 2], root=prefix)", prefix="/admin").application
    assert application.args == ("staging", "/admin", [1, 2])
    assert application.kwargs == {"root": "/admin"}


def test_a_partial_is_a_factory():
    application = loaded("factories:default(debug=True)").application
    assert (application.args, application.kwargs) == (("default",), {"debug": True})


def test_a_module_is_imported_once_and_a_factory_called_for_each_mount():
    assert loaded("good:app").application is loaded("good.py").application
    assert loaded("factories:create_app()").application is not loaded("factories:create_app()").application
    assert loaded("only_factory").application is loaded("only_factory").application
    assert len(importlib.import_module("only_factory").made) == 2
    assert len(importlib.import_module("factories").calls) == 2


def test_two_files_of_one_name_in_two_folders_are_two_modules():
    blog, shop = loaded("blog/app.py").application, loaded("shop/app.py:app").application
    assert (blog.__globals__["name"], shop.__globals__["name"]) == ("blog", "shop")


RAISED = [
    pytest.param(
        "raises_on_import:app",
        'importing "raises_on_import" failed: ConnectionError: the database is away '
        f"{where('raises_on_import.py', 'raise ')}",
        "",
        id="the import raises",
    ),
    pytest.param(
        "broken_import:app",
        'importing "broken_import" failed: ModuleNotFoundError: '
        f"No module named 'no_such_dependency' {where('broken_import.py', 'import no_such')}",
        f'Install the package that has "no_such_dependency", {PYTHONPATH}',
        id="a dependency is missing",
    ),
    pytest.param(
        "broken_name:app",
        "importing \"broken_name\" failed: ImportError: cannot import name 'no_such_name' from 'good' "
        f"({APPS / 'good.py'}) {where('broken_name.py', 'from good')}",
        "",
        id="a name is missing in what the module imports",
    ),
    pytest.param(
        "package.sub:app",
        'importing "package.sub" failed: ModuleNotFoundError: '
        f"No module named 'package.nowhere' {where('package/sub/__init__.py', 'import package')}",
        'The package "package" is there, but nothing in it is called "nowhere".',
        id="a module of its own package is missing",
    ),
    pytest.param(
        "package.sub.deeper:app",
        'importing "package.sub.deeper" failed: ModuleNotFoundError: '
        f"No module named 'package.nowhere' {where('package/sub/__init__.py', 'import package')}",
        'The package "package" is there, but nothing in it is called "nowhere".',
        id="the package around it fails",
    ),
    pytest.param(
        "syntax_error:app",
        f"importing \"syntax_error\" failed: SyntaxError: '(' was never closed {where('syntax_error.py', 'def ')}",
        "",
        id="no Python",
    ),
    pytest.param(
        "exits:app",
        f'importing "exits" failed: SystemExit: 4 {where("exits.py", "sys.exit")}',
        "",
        id="the import leaves the process",
    ),
    pytest.param(
        "cancels:app",
        f'importing "cancels" failed: cancels.Cancelled {where("cancels.py", "raise ")}',
        "",
        id="the import raises what is no Exception",
    ),
    pytest.param(
        "lazy:needs_settings",
        'reading "needs_settings" of "lazy" failed: RuntimeError: settings are not configured '
        f"{where('lazy.py', 'raise Runtime')}",
        "",
        id="the attribute raises",
    ),
    pytest.param(
        "lazy:typo",
        "\"lazy\" has no \"typo\": AttributeError: 'function' object has no attribute 'no_such_attribute' "
        f"{where('lazy.py', 'no_such_attribute')}",
        "",
        id="the attribute raises AttributeError",
    ),
    pytest.param(
        "grumpy",
        'reading "application" of "grumpy" failed: RuntimeError: no application today '
        f"{where('grumpy.py', 'raise Runtime')}",
        "",
        id="the usual attributes raise",
    ),
    pytest.param(
        "shy:app",
        'looking into "shy:app" failed: RuntimeError: working outside of the application context '
        f"{where('shy.py', 'raise Runtime')}",
        "",
        id="the signature raises",
    ),
    pytest.param(
        "factories:raises()",
        f'"factories:raises" raised ValueError: the database is away {where("factories.py", "database is away")}',
        "",
        id="the factory raises over two lines",
    ),
    pytest.param(
        "factories:raises_with_a_note()",
        f'"factories:raises_with_a_note" raised RuntimeError: broken {where("factories.py", "raise error")}',
        "",
        id="the factory raises with a note",
    ),
    pytest.param(
        "factories:raises_type_error()",
        "\"factories:raises_type_error\" raised TypeError: object of type 'int' has no len() "
        f"{where('factories.py', 'len(3)')}",
        "",
        id="the factory raises TypeError",
    ),
    pytest.param(
        "factories:raises_import_error()",
        "\"factories:raises_import_error\" raised ModuleNotFoundError: No module named 'no_such_driver' "
        f"{where('factories.py', 'import no_such')}",
        f'Install the package that has "no_such_driver", {PYTHONPATH}',
        id="the factory's import fails",
    ),
    pytest.param(
        "factories:raises_key_error()",
        f"\"factories:raises_key_error\" raised KeyError: 'SECRET' {where('factories.py', 'SECRET')}",
        "",
        id="the factory raises KeyError",
    ),
    pytest.param(
        "factories:exits()",
        f'"factories:exits" raised SystemExit: no licence {where("factories.py", "sys.exit")}',
        "",
        id="the factory leaves the process",
    ),
    pytest.param(
        "factories:cancels()",
        f'"factories:cancels" raised asyncio.exceptions.CancelledError {where("factories.py", "CancelledError")}',
        "",
        id="the factory is cancelled",
    ),
    pytest.param(
        "factories:stops()",
        f'"factories:stops" raised StopIteration {where("factories.py", "StopIteration")}',
        "",
        id="the factory stops an iteration",
    ),
    pytest.param(
        "factories:builtin('x')",
        "\"factories:builtin\" raised ValueError: invalid literal for int() with base 10: 'x'",
        "",
        id="a built-in factory raises",
    ),
]


@pytest.mark.parametrize(("text", "message", "hint"), RAISED)
def test_what_an_application_raises_is_its_cause(text, message, hint):
    error = failure(text)
    caret = "\n  |        ^" if text.startswith("syntax_error") else ""
    assert error.problems == (Problem(key=KEY, message=message, hint=hint, excerpt=shown(message) + caret),)
    assert error.__cause__ is not None


NOT_FOUND = [
    pytest.param(
        "qqqq:app",
        'there is no module "qqqq"',
        f"Install the package that has it, {PYTHONPATH}",
        id="no module",
    ),
    pytest.param("factoris:app", 'there is no module "factoris"', 'Did you mean "factories"?', id="a near module"),
    pytest.param(
        "qqqq.web:app",
        'there is no module "qqqq"',
        f"Install the package that has it, {PYTHONPATH}",
        id="no package",
    ),
    pytest.param("pakage.main:app", 'there is no module "pakage"', 'Did you mean "package.main"?', id="a near package"),
    pytest.param(
        "package.mian:app", 'there is no module "package.mian"', 'Did you mean "package.main"?', id="near in it"
    ),
    pytest.param(
        "package.zzz:app",
        'there is no module "package.zzz"',
        'The package "package" is there, but nothing in it is called "zzz".',
        id="no module in a package",
    ),
    pytest.param("good.app", 'there is no module "good.app"', 'Did you mean "good:app"?', id="a dot for a colon"),
    pytest.param(
        "good.namespace.inner",
        'there is no module "good.namespace"',
        'Did you mean "good:namespace.inner"?',
        id="dots for a colon and a dot",
    ),
    pytest.param(
        "good.zzz:app",
        'there is no module "good.zzz"',
        'The module "good" is there, but nothing in it is called "zzz".',
        id="no package at all",
    ),
    pytest.param("no_such_file.py", f"there is no file {APPS / 'no_such_file.py'}", PATHS, id="no file"),
    pytest.param("no/such/file.py:app", f"there is no file {APPS / 'no/such/file.py'}", PATHS, id="no folder"),
    pytest.param("good:ap", f'"good" has no "ap" ({APPS / "good.py"})', 'Did you mean "app"?', id="a near attribute"),
    pytest.param(
        "good:application",
        f'"good" has no "application" ({APPS / "good.py"})',
        'Did you mean "app"?',
        id="a usual attribute",
    ),
    pytest.param(
        "good:namespace.iner",
        f'"good.namespace" has no "iner" ({APPS / "good.py"})',
        'Did you mean "inner"?',
        id="a near one inside",
    ),
    pytest.param(
        "unusual:zzz", f'"unusual" has no "zzz" ({APPS / "unusual.py"})', 'Did you mean "website"?', id="no attribute"
    ),
    pytest.param(
        "unusual:name",
        f'"unusual" has no "name" ({APPS / "unusual.py"})',
        'Did you mean "website"?',
        id="what only dunder names are near to",
    ),
    pytest.param(
        "unusual",
        f'"unusual" has none of the usual names: application, app, create_app, make_app ({APPS / "unusual.py"})',
        'Name the attribute: "unusual:website".',
        id="no usual name",
    ),
    pytest.param(
        "good:number", '"good:number" is not an application: it is an int, which cannot be called', "", id="a number"
    ),
    pytest.param(
        "good:settings", '"good:settings" is not an application: it is a dict, which cannot be called', "", id="a dict"
    ),
    pytest.param(
        "good:nothing", '"good:nothing" is not an application: it is None, which cannot be called', "", id="None"
    ),
    pytest.param(
        "factories:sys",
        '"factories:sys" is not an application: it is a module, which cannot be called',
        'Name the attribute in it: "sys:app".',
        id="a module",
    ),
    pytest.param(
        "good:number()",
        '"good:number" is not a factory: it is an int, which cannot be called',
        "",
        id="a number called",
    ),
    pytest.param(
        "good:takes_nothing",
        f'"good:takes_nothing" is not an application: it takes (), {NEITHER}',
        'If it is a factory, write "good:takes_nothing()".',
        id="a factory without its brackets",
    ),
    pytest.param(
        "good:takes_one",
        f'"good:takes_one" is not an application: it takes (name), {NEITHER}',
        'If it is a factory, write "good:takes_one(...)".',
        id="a factory without its arguments",
    ),
    pytest.param(
        "good:takes_four",
        f'"good:takes_four" is not an application: it takes (one, two, three, four), {NEITHER}',
        'If it is a factory, write "good:takes_four(...)".',
        id="a function that takes too much",
    ),
    pytest.param(
        "good:Callable",
        '"good:Callable" is not an application but a class',
        'If its instances are applications, write "good:Callable()".',
        id="a class in place of its instance",
    ),
    pytest.param(
        "good:Plain",
        '"good:Plain" is not an application but a class',
        'If its instances are applications, write "good:Plain(...)".',
        id="a class that takes two arguments",
    ),
    pytest.param(
        "asgi_app:DoubleCallable",
        '"asgi_app:DoubleCallable" is an application of ASGI 2, which is called twice',
        "Mount what asgiref.compatibility.guarantee_single_callable makes of it.",
        id="an application of ASGI 2",
    ),
    pytest.param(
        "factories:strict()",
        "\"factories:strict\" was called wrongly: missing a required argument: 'name'",
        'Its arguments are (name, *, debug=False). Write their values in the target: "factories:strict(name=...)".',
        id="an argument is missing",
    ),
    pytest.param(
        "factories:strict('x', True)",
        '"factories:strict" was called wrongly: too many positional arguments',
        "Its arguments are (name, *, debug=False).",
        id="an argument too many",
    ),
    pytest.param(
        "factories:strict('x', debg=True)",
        "\"factories:strict\" was called wrongly: got an unexpected keyword argument 'debg'",
        "Its arguments are (name, *, debug=False).",
        id="an unknown argument",
    ),
    pytest.param(
        "good:app()",
        "\"good:app\" was called wrongly: missing a required argument: 'environ'",
        'It is an application: write "good:app".',
        id="an application called",
    ),
    pytest.param(
        "asgi_app:app()",
        "\"asgi_app:app\" was called wrongly: missing a required argument: 'scope'",
        'It is an application: write "asgi_app:app".',
        id="an ASGI application called",
    ),
    pytest.param(
        "factories:returns_nothing()",
        '"factories:returns_nothing()" is not an application: it is None, which cannot be called',
        "The factory returned it: is a return missing?",
        id="a factory without a return",
    ),
    pytest.param(
        "factories:returns_number()",
        '"factories:returns_number()" is not an application: it is an int, which cannot be called',
        "The factory returned it: it has to return an application.",
        id="a factory of a number",
    ),
    pytest.param(
        "factories:returns_module()",
        '"factories:returns_module()" is not an application: it is a module, which cannot be called',
        'Name the attribute in it: "sys:app".',
        id="a factory of a module",
    ),
    pytest.param(
        "factories:returns_factory()",
        f'"factories:returns_factory()" is not an application: it takes (), {NEITHER}',
        "",
        id="a factory of a factory",
    ),
    pytest.param(
        "factories:is_async()",
        '"factories:is_async" is an async factory',
        "Make it a plain function that returns the application.",
        id="an async factory",
    ),
]


UNCALLABLE = [
    pytest.param(
        "good:number", '"good:number" is not an application: it is an int, which cannot be called', id="named"
    ),
    pytest.param(
        "factories:returns_nothing()",
        '"factories:returns_nothing()" is not an application: it is None, which cannot be called',
        id="made",
    ),
]


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
@pytest.mark.parametrize(("text", "message"), UNCALLABLE)
def test_what_cannot_be_called_is_no_application_whatever_is_declared(text, message, interface):
    assert failure(text, interface=interface).problems[0].message == message


@pytest.mark.parametrize(("text", "message", "hint"), NOT_FOUND)
def test_what_is_not_there_or_no_application_says_what_to_write(text, message, hint):
    error = failure(text)
    assert error.problems == (Problem(key=KEY, message=message, hint=hint),)
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("text", "module", "file", "rename", "renamed"),
    [
        pytest.param("calendar.py", "calendar", "calendar.py", '"calendar.py"', "calendar_app.py", id="a file"),
        pytest.param("calendar:app", "calendar", "calendar.py", '"calendar.py"', "calendar_app:app", id="a module"),
        pytest.param("calendar", "calendar", "calendar.py", '"calendar.py"', "calendar_app", id="no attribute"),
        pytest.param("site/app.py", "site", "site/app.py", 'the folder "site"', "site_app/app.py", id="a folder"),
        pytest.param("site.app:app", "site", "site/app.py", 'the folder "site"', "site_app.app:app", id="a package"),
        pytest.param("werkzeug:app", "werkzeug", "werkzeug.py", '"werkzeug.py"', "werkzeug_app:app", id="installed"),
        pytest.param("flask:app", "flask", "flask.py", '"flask.py"', "flask_app:app", id="a module of that name in it"),
    ],
)
def test_a_module_that_is_hidden_says_by_which_file(text, module, file, rename, renamed):
    owner = pytest.importorskip(module).__file__
    folder = APPS / "taken"
    sys.path.insert(0, str(folder))
    error = failure(text, folder=folder)
    message = f'the module name "{module}" is taken by {owner}, which hides {folder / file}'
    hint = f'Rename {rename}, for instance so that the target is "{renamed}".'
    assert error.problems == (Problem(key=KEY, message=message, hint=hint),)


@pytest.mark.parametrize(
    ("file", "text", "message", "hint"),
    [
        pytest.param(
            "project_a/wsgi.py", "project_a",
            '"project_a" has none of the usual names: application, app, create_app, make_app (FOLDER/project_a)',
            'Did you mean "project_a.wsgi"?', id="a Django project",
        ),
        pytest.param(
            "project_b/wsgi.py", "project_b:application",
            '"project_b" has no "application" (FOLDER/project_b)',
            'Did you mean "project_b.wsgi:application"?', id="the package of a Django project",
        ),
        pytest.param(
            "static_a/x/site.css", "static_a",
            '"static_a" has none of the usual names: application, app, create_app, make_app (FOLDER/static_a)',
            'Write { static = "static_a" } for a folder of files.', id="a folder of files",
        ),
        pytest.param(
            "src/web_a.py", "web_a:app", 'there is no module "web_a"',
            'FOLDER/src/web_a.py is there: add its folder to pythonpath, as in pythonpath = ["src"].',
            id="a folder below",
        ),
        pytest.param(
            "src/web_b/__init__.py", "web_b.main:app", 'there is no module "web_b"',
            'FOLDER/src/web_b/__init__.py is there: add its folder to pythonpath, as in pythonpath = ["src"].',
            id="a package below",
        ),
        pytest.param(
            "index.html", "index.html", 'there is no module "index"',
            'Write { file = "index.html" } for a file.', id="a page",
        ),
    ],
)  # fmt: skip
def test_what_is_no_module_says_what_it_is(tmp_path, file, text, message, hint):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    sys.path.insert(0, str(tmp_path))
    problem = failure(text, folder=tmp_path).problems[0]
    texts = (problem.message, problem.hint)
    assert tuple(each.replace(str(tmp_path), "FOLDER") for each in texts) == (message, hint)


@pytest.mark.parametrize("text", ["project_c.urls", "project_c.settings", "manage"])
def test_a_module_of_django_says_which_one_has_the_application(tmp_path, text):
    (tmp_path / "project_c").mkdir()
    for name in ("project_c/wsgi.py", "project_c/urls.py", "project_c/settings.py", "manage.py"):
        (tmp_path / name).touch()
    sys.path.insert(0, str(tmp_path))
    assert failure(text, folder=tmp_path).problems[0].hint == 'Did you mean "project_c.wsgi"?'


def test_a_dot_for_a_colon_is_seen_in_the_working_directory_as_well(tmp_path, monkeypatch):
    (tmp_path / "web_d.py").write_text("app = create_app = 1\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    sys.path.insert(0, str(tmp_path))
    problem = failure("web_d.create_app", folder=tmp_path).problems[0]
    assert (problem.message, problem.hint) == (
        'there is no module "web_d.create_app"',
        'Did you mean "web_d:create_app"?',
    )


def test_a_module_in_the_working_directory_is_found(tmp_path, monkeypatch):
    (tmp_path / "web_c.py").touch()
    (tmp_path / "conf").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    problem = failure("web_c:app", folder=tmp_path / "conf").problems[0]
    hint = f'{tmp_path / "web_c.py"} is there: add its folder to pythonpath, as in pythonpath = [".."].'
    assert (problem.message, problem.hint) == ('there is no module "web_c"', hint)


def test_a_folder_that_is_no_module_is_not_what_was_meant(tmp_path):
    (tmp_path / "calendar").mkdir()  # with the files of the site, say
    owner = importlib.import_module("calendar").__file__
    assert failure("calendar:app", folder=tmp_path).problems[0].message == f'"calendar" has no "app" ({owner})'


def test_a_file_whose_name_a_built_in_module_has_is_told(tmp_path):
    (tmp_path / "sys.py").touch()
    message = f'the module name "sys" is taken by a module of Python itself, which hides {tmp_path / "sys.py"}'
    hint = 'Rename "sys.py", for instance so that the target is "sys_app.py".'
    assert failure("sys.py", folder=tmp_path).problems == (Problem(key=KEY, message=message, hint=hint),)


@pytest.mark.parametrize("text", ["interrupts:app", "factories:interrupts()"])
def test_control_c_is_the_users(text):
    with pytest.raises(KeyboardInterrupt):
        loaded(text)


def test_nothing_of_multiserve_is_seen_in_the_cause():
    cause = failure("factories:raises()").__cause__
    assert cause.__context__ is None
    assert [frame.name for frame in traceback.extract_tb(cause.__traceback__)][-1] == "raises"
