"""The targets of a command line, as the table that a file would have."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.config.arguments import is_target, read_arguments
from multiserve.config.file import load_config
from multiserve.config.source import Source
from multiserve.errors import ConfigError

APPS = Path(__file__).parents[1] / "apps"


@pytest.fixture
def folder(tmp_path):
    for name in ("static/css", "package", "sources", "parts/shop", "both"):
        (tmp_path / name).mkdir(parents=True)
    for name in (
        "package/__init__.py",
        "parts/shop/__init__.py",
        "sources/app.py",
        "robots.txt",
        "static/app.css",
        "both.py",
    ):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("argument", "key", "value"),
    [
        pytest.param("shop:app", "/", "shop:app", id="a target alone"),
        pytest.param("shop", "/", "shop", id="a module alone"),
        pytest.param("/shop=shop", "/shop", "shop", id="a module"),
        pytest.param("/shop=package", "/shop", "package", id="a package"),
        pytest.param("both", "/", "both", id="a module beside a folder of its name"),
        pytest.param("both/", "/", {"static": "both/"}, id="the folder beside a module of its name"),
        pytest.param("/admin=office:create_app()", "/admin", "office:create_app()", id="a factory"),
        pytest.param("office:create_app(debug=True)", "/", "office:create_app(debug=True)", id="= in a call alone"),
        pytest.param("/x=office:make(debug=True)", "/x", "office:make(debug=True)", id="= in a call"),
        pytest.param("api.example.com=api:app", "api.example.com", "api:app", id="a host"),
        pytest.param("{tenant}.example.com=api:app", "{tenant}.example.com", "api:app", id="a placeholder"),
        pytest.param("[::1]:8000/x=api:app", "[::1]:8000/x", "api:app", id="an address"),
        pytest.param("shop/web.py", "/", "shop/web.py", id="a Python file"),
        pytest.param("/x=./web.py", "/x", "./web.py", id="a Python file here"),
        pytest.param("/x=web.py:app", "/x", "web.py:app", id="an attribute of a Python file"),
        pytest.param("/all=parts/", "/all", {"fleet": "parts/"}, id="a folder of packages"),
        pytest.param("/static=./static", "/static", {"static": "./static"}, id="a folder"),
        pytest.param("/static=static", "/static", {"static": "static"}, id="a folder by its name"),
        pytest.param("/static=static/", "/static", {"static": "static/"}, id="a folder with a slash"),
        pytest.param("/static=./later", "/static", {"static": "./later"}, id="a folder that is not there yet"),
        pytest.param("/static=site/later", "/static", {"static": "site/later"}, id="a path that is not there yet"),
        pytest.param("/static=../later", "/static", {"static": "../later"}, id="a folder elsewhere"),
        pytest.param("/apps=sources", "/apps", {"fleet": "sources"}, id="a folder of applications"),
        pytest.param("sources/", "/", {"fleet": "sources/"}, id="a folder of applications alone"),
        pytest.param("/robots.txt=robots.txt", "/robots.txt", {"file": "robots.txt"}, id="a file"),
        pytest.param(
            "/a=http://localhost:5173", "/a", {"proxy": "http://localhost:5173"}, id="a server of this machine"
        ),
        pytest.param("/a=http://[::1]:5173/", "/a", {"proxy": "http://[::1]:5173/"}, id="one with an IPv6 address"),
        pytest.param("/a=unix:run/a.sock", "/a", {"proxy": "unix:run/a.sock"}, id="a socket"),
        pytest.param("/a=unix:app", "/a", "unix:app", id="a module of that name"),
        pytest.param("/a=http://localhost/b", "/a", {"redirect": "http://localhost/b"}, id="a URL of this machine"),
        pytest.param("/a=http://x@localhost", "/a", {"redirect": "http://x@localhost"}, id="one with a user"),
        pytest.param("/a=http://localhost.test", "/a", {"redirect": "http://localhost.test"}, id="another machine"),
        pytest.param("/old=https://example.com/new", "/old", {"redirect": "https://example.com/new"}, id="a URL"),
        pytest.param("/old={ redirect = '/new' }", "/old", {"redirect": "/new"}, id="a table"),
        pytest.param("{app='shop:app', strip=true}", "/", {"app": "shop:app", "strip": True}, id="a table alone"),
    ],
)
def test_an_argument_becomes_what_the_file_would_have(folder, argument, key, value):
    problems = []
    assert read_arguments([argument], folder, problems).tables == {key: value}
    assert problems == []


def test_a_folder_may_be_given_from_the_root(folder):
    assert read_arguments([f"/x={folder}/static"], folder, []).tables == {"/x": {"static": f"{folder}/static"}}


def refusal(folder, *arguments):
    with pytest.raises(ConfigError) as caught:
        load_config(Source(folder, arguments))
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["admin=office:app"],
            'admin=office:app: "admin" is neither a path nor a host\n'
            '    Did you mean "/admin"? A host has a dot or a port.',
            id="a bare word as key",
        ),
        pytest.param(
            ["=office:app"],
            "=office:app: a key is empty\n"
            '    Write "/" for the root, "/path" for a prefix, or a host such as "example.com".',
            id="an empty key",
        ),
        pytest.param(
            ["/a="],
            "/a=: the target is empty\n"
            '    Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".',
            id="an empty target",
        ),
        pytest.param(
            ["/a=a b:app"],
            '/a=a b:app: "a b" is not the name of a module\n    Write "b:app" alone.',
            id="no module",
        ),
        pytest.param(
            ["shop:app", "api:app"],
            "api:app: the same mount as shop:app\n"
            '    An argument without a key is mounted at "/": write /prefix=api:app for another place.',
            id="two without a key",
        ),
        pytest.param(
            ["/a=shop:app", "/a=api:app"],
            "/a=api:app: the same mount as /a=shop:app\n    Keep one of the two.",
            id="a key twice",
        ),
        pytest.param(
            ["/a=shop:app", "/a/=api:app"],
            "/a/=api:app: the same mount as /a=shop:app\n    Keep one of the two.",
            id="a key in two spellings",
        ),
        pytest.param(
            ["/admin"],
            '/admin: there is no folder and no file "/admin"\n    To mount something there, write /admin=module:app.',
            id="a key alone",
        ),
        pytest.param(
            ["/old=/new"],
            '/old=/new: there is no folder and no file "/new"\n'
            "    A redirect is written as in the file: '/old={ redirect = \"/new\" }'.",
            id="a path that is no folder",
        ),
        pytest.param(
            ["/d={"],
            "/d={: not TOML: Invalid initial character for a key part\n"
            "    Write it as in the file, in single quotes for the shell: '/docs={ static = \"site\" }'.",
            id="half a table",
        ),
        pytest.param(
            ['/d={ static = "x" }\n[server]'],
            '/d={ static = "x" }\n[server]: not TOML: there is more than one table\n'
            "    Write it as in the file, in single quotes for the shell: '/docs={ static = \"site\" }'.",
            id="more than a table",
        ),
        pytest.param(
            ['/d={ static="x", falback="y" }'],
            '/d={ static="x", falback="y" }.falback: no such key\n    Did you mean "fallback"?',
            id="an option that there is not",
        ),
        pytest.param(
            ["{t}.example.com=static"],
            "{t}.example.com=static: only an app or a proxy can stand at a key with placeholders\n"
            "    Write one key for each prefix.",
            id="a folder at a placeholder",
        ),
        pytest.param(
            ["/old=https://user@example.com/"],
            '/old=https://user@example.com/: a redirect has no user\n    Write "/path" or "https://example.com/path".',
            id="a URL with a user",
        ),
    ],
)
def test_a_mistake_names_the_argument_as_it_was_typed(folder, arguments, message):
    assert refusal(folder, *arguments) == message


def test_the_current_folder_is_not_served_as_files(folder):
    assert refusal(folder / "static", "/s=.") == (
        "/s=.: this folder holds the applications, which everybody could read then\n"
        '    Name a folder of files alone, such as "static".'
    )


def test_all_mistakes_are_told_at_once(folder):
    lines = refusal(folder, "/d={", "admin=x:y", "/e=").splitlines()
    assert [line.partition(": ")[0] for line in lines[::2]] == ["/d={", "admin=x:y", "/e="]


@given(
    st.one_of(st.text(), st.builds("{}={}".format, st.text("/a.{}:=["), st.text("/a.{}:=['")), st.text("{=}'\\n[]a"))
)
def test_any_argument_is_read_or_refused(text):
    with contextlib.suppress(ConfigError):
        assert load_config(Source(APPS, (text,))).mounts


def test_variables_are_left_to_the_shell(folder, monkeypatch):
    monkeypatch.setenv("NAME", "shop")
    (mount,) = load_config(Source(folder, ("/x=office:make('${NAME}')",))).mounts
    assert mount.target.call.args == ("${NAME}",)


def test_a_configuration_of_targets_has_a_folder_and_no_file(folder):
    config = load_config(Source(folder, ("shop:app", "/static=static")))
    assert (config.path, config.folder, config.pythonpath) == (None, folder, (folder,))
    assert [(mount.name, mount.kind, mount.toml_key) for mount in config.mounts] == [
        ("/", "app", "shop:app"),
        ("/static", "static", "/static=static"),
    ]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        pytest.param("shop:app", True, id="a target"),
        pytest.param("shop.web:app", True, id="a target in a package"),
        pytest.param("/=shop", True, id="a key"),
        pytest.param("{tenant}.example.com=shop", True, id="a host"),
        pytest.param("./static", True, id="a folder here"),
        pytest.param("../static", True, id="a folder elsewhere"),
        pytest.param("web.py", True, id="a Python file"),
        pytest.param("reports/", True, id="a folder"),
        pytest.param("login", False, id="a word"),
        pytest.param("/users/", False, id="a path"),
        pytest.param("storefront:", False, id="a module with a colon"),
        pytest.param("/users/{id:int}", False, id="a route with a converter"),
        pytest.param("<int:pk>", False, id="a converter"),
        pytest.param("example.com", False, id="a host alone"),
    ],
)
def test_a_target_is_told_from_another_word(argument, expected):
    assert is_target(argument) is expected
