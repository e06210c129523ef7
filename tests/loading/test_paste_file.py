"""Sections of files of PasteDeploy, loaded by PasteDeploy itself."""

from __future__ import annotations

import sys
from wsgiref.util import setup_testing_defaults

import pytest

from multiserve import create_app
from multiserve.config.targets import parse_target
from multiserve.errors import ConfigError, LoadError
from multiserve.loading import paste_file
from multiserve.loading.applications import load
from multiserve.loading.objects import Objects

pytest.importorskip("paste.deploy", reason="PasteDeploy is not installed")
pytestmark = pytest.mark.usefixtures("clean_process")

SITE = """\
[DEFAULT]
greeting = Hello from %(here)s

[app:main]
use = call:site_parts:make_app
name = main

[app:other]
use = main
name = other

[app:broken]
use = call:site_parts:fail

[app:nowhere]
use = egg:NoSuchDistribution

[app:half]
name = %(nothing)s
use = call:site_parts:make_app

[filter:loud]
paste.filter_factory = site_parts:loud

[pipeline:piped]
pipeline = loud other

[composite:both]
use = call:site_parts:by_prefix
/ = main
/other = other
"""
PARTS = """\
def make_app(global_conf, name, **settings):
    def app(environ, start_response):
        start_response("200 OK", [])
        where = environ["SCRIPT_NAME"], environ["PATH_INFO"]
        return [f"{name}: {global_conf['greeting']} {where}".encode()]
    return app

def fail(global_conf, **settings):
    raise KeyError("SECRET")

def loud(global_conf, **settings):
    def wrap(app):
        return lambda environ, start_response: [part.upper() for part in app(environ, start_response)]
    return wrap

def by_prefix(loader, global_conf, **prefixes):
    apps = {prefix: loader.get_app(name, global_conf=global_conf) for prefix, name in prefixes.items()}
    return lambda environ, start_response: apps.get(environ["PATH_INFO"], apps["/"])(environ, start_response)
"""
PYRAMID = """\
[app:main]
use = call:pyramid_site:main
pyramid.default_locale_name = de
site.title = Our shop

[server:main]
use = egg:waitress#main
listen = localhost:6543

[loggers]
keys = root
"""
PYRAMID_SITE = """\
from pyramid.config import Configurator
from pyramid.response import Response

def home(request):
    settings = request.registry.settings
    text = f"{settings['site.title']} {settings['pyramid.default_locale_name']} {request.route_url('home')}"
    return Response(text)

def main(global_config, **settings):
    with Configurator(settings=settings) as config:
        config.add_route("home", "/")
        config.add_view(home, route_name="home")
        return config.make_wsgi_app()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "site.ini").write_text(SITE)
    (tmp_path / "site_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("site_parts", "pyramid_site"):
        sys.modules.pop(name, None)


def ask(application, path="/"):
    environ = {"PATH_INFO": path, "SCRIPT_NAME": ""}
    setup_testing_defaults(environ)
    return b"".join(application(environ, lambda *_: None)).decode()


def load_from(folder, text, objects=None):
    return load(parse_target(text), prefix="", key='mounts."/"', folder=folder, objects=objects)


@pytest.mark.parametrize(
    ("target", "path", "answer"),
    [
        pytest.param("paste:site.ini", "/", "main: Hello from {here} ('', '/')", id="main"),
        pytest.param("paste:site.ini#main", "/", "main: Hello from {here} ('', '/')", id="main by name"),
        pytest.param("paste:site.ini#other", "/x", "other: Hello from {here} ('', '/x')", id="one that uses another"),
        pytest.param("paste:site.ini#piped", "/", "OTHER: HELLO FROM {HERE} ('', '/')", id="pipeline"),
        pytest.param("paste:site.ini#both", "/other", "other: Hello from {here} ('', '/other')", id="composite"),
    ],
)
def test_a_section_is_what_pastedeploy_makes_of_it(folder, target, path, answer):
    loaded = load_from(folder, target)
    assert loaded.interface == "wsgi"
    here = answer.replace("{here}", str(folder)).replace("{HERE}", str(folder).upper())
    assert ask(loaded.application, path) == here


def test_a_section_is_made_once_however_often_it_is_mounted(folder):
    objects = Objects()
    one, again = (load_from(folder, text, objects).application for text in ("paste:site.ini", "paste:site.ini#main"))
    assert one is again
    assert load_from(folder, "paste:site.ini#other", objects).application is not one


def test_an_application_of_pyramid_has_its_settings_and_its_prefix(folder):
    pytest.importorskip("pyramid")
    (folder / "shop").mkdir()
    (folder / "shop" / "development.ini").write_text(PYRAMID)
    (folder / "pyramid_site.py").write_text(PYRAMID_SITE)
    config = folder / "multiserve.toml"
    config.write_text('[mounts]\n"/shop" = "paste:shop/development.ini"\n')
    assert ask(create_app(config), "/shop/") == "Our shop de http://127.0.0.1/shop/"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param(
            "site.ini",
            'there is no module "site.ini"\n    Write "paste:site.ini" for a file of PasteDeploy.',
            id="the file alone",
        ),
        pytest.param(
            "paste:sight.ini",
            "there is no file {folder}/sight.ini\n    Paths are relative to the folder of the configuration.",
            id="no file",
        ),
        pytest.param(
            "paste:site.ini#othr",
            "PasteDeploy finds no application: No section 'othr' (prefixed by 'app' or 'application' or 'composite' "
            "or 'composit' or 'pipeline' or 'filter-app') found in config {folder}/site.ini\n"
            '    Did you mean "paste:site.ini#other"?',
            id="no section of that name",
        ),
        pytest.param(
            "paste:site.ini#zzz",
            "PasteDeploy finds no application: No section 'zzz' (prefixed by 'app' or 'application' or 'composite' "
            "or 'composit' or 'pipeline' or 'filter-app') found in config {folder}/site.ini\n"
            "    It has main, other, broken, nowhere, half, piped, both.",
            id="no section like it",
        ),
        pytest.param(
            "paste:site.ini#half",
            "site.ini is no file of PasteDeploy: Error in file {folder}/site.ini: Bad value substitution: "
            "option 'name' in section 'app:half' contains an interpolation key 'nothing' which is not a valid option "
            "name. Raw value: '%(nothing)s'",
            id="interpolation",
        ),
    ],
)
def test_what_is_not_there_is_a_problem(folder, target, message):
    with pytest.raises(LoadError) as caught:
        load_from(folder, target)
    assert str(caught.value) == f'mounts."/": {message}'.replace("{folder}", str(folder))


def test_what_a_factory_raises_is_its_own(folder):
    with pytest.raises(LoadError) as caught:
        load_from(folder, "paste:site.ini#broken")
    assert str(caught.value).startswith('mounts."/": loading "paste:site.ini#broken" failed: KeyError: \'SECRET\'')
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_distribution_that_is_not_installed_is_named(folder):
    with pytest.raises(LoadError) as caught:
        load_from(folder, "paste:site.ini#nowhere")
    assert str(caught.value) == (
        'mounts."/": site.ini uses the distribution "NoSuchDistribution", which is not installed\n'
        "    16 | use = egg:NoSuchDistribution\n"
        "    Install it, or correct the name behind egg:."
    )


def test_what_an_application_does_not_find_is_its_own(folder):
    (folder / "site_parts.py").write_text(
        "from importlib.metadata import version\ndef make_app(global_conf, **settings):\n    version('NoSuch')\n"
    )
    with pytest.raises(LoadError, match=r"site_parts\.py, line 3"):
        load_from(folder, "paste:site.ini")


@pytest.mark.parametrize("name", ["a#b", "a b"])
def test_a_folder_of_any_name(folder, name):
    (folder / name).mkdir()
    (folder / name / "site.ini").write_text(SITE)
    assert ask(load_from(folder / name, "paste:site.ini").application).startswith("main: Hello from ")


def test_without_pastedeploy_the_extra_is_named(folder, monkeypatch):
    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(paste_file.importlib, "import_module", fail)
    with pytest.raises(LoadError) as caught:
        load_from(folder, "paste:site.ini")
    assert str(caught.value) == (
        'mounts."/": "paste:site.ini" is loaded by PasteDeploy, which is not installed\n'
        '    Type pip install "multiserve[paste]".'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            'middleware = ["paste:site.ini"]\n[mounts]\n"/" = "paste:site.ini"',
            'middleware: "paste:site.ini" is an application, and no function\n'
            '    Write "module:name" or "module:name(option=1)".',
            id="middleware",
        ),
        pytest.param(
            '[mounts]\n"/" = "config:site.ini#main"',
            'mounts."/": "config:site.ini#main" names a file of PasteDeploy\n'
            '    Write "paste:site.ini#main" for a file of PasteDeploy.',
            id="as PasteDeploy writes it",
        ),
    ],
)
def test_where_it_is_no_target_the_configuration_is_wrong(folder, text, message):
    path = folder / "multiserve.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        create_app(path)
    assert str(caught.value) == f"{path}:\n{message}"


def test_a_factory_of_tenants_is_a_function(folder):
    path = folder / "multiserve.toml"
    path.write_text('[mounts]\n"/u/{user}" = "paste:site.ini"\n[server]\nstrict = true\n')
    with pytest.raises(LoadError) as caught:
        create_app(path)
    assert str(caught.value) == (
        'mounts."/u/{user}": "paste:site.ini" is an application of PasteDeploy, and cannot be called\n'
        "    Name a function in a module."
    )
