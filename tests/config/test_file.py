from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
import tomli
import tomli_w
from hypothesis import example, given, settings
from hypothesis import strategies as st

from multiserve.config.file import find_config, load_config, select
from multiserve.config.model import Config, Development, Server
from multiserve.config.targets import parse_target
from multiserve.errors import ConfigError, Problem
from multiserve.keys import MountKey

VALID = """
pythonpath = ["lib"]
plugins = ["shop.checks"]

[mounts]
"/" = "storefront:app"
"/admin" = { app = "backoffice:create_app('staging')", required = true, interface = "asgi", threads = 8 }
"api.example.com:8000/v1/" = "api.main"
"*.example.com" = "shops/app.py:app"

[env]
SHOP_NAME = "The Shop"

[server]
host = "0.0.0.0"
port = 5000
strict = true
startup_timeout = 20
shutdown_timeout = 3

[development]
reload = false
debugger = true
threaded = false
extra_files = ["*.yaml"]
exclude_patterns = ["*.log"]

[gunicorn]
workers = 2
accesslog = "-"
"""
NEEDS = (
    "a mount needs an app, a static folder, a file, a redirect, a proxy or a fleet",
    (
        'Write { app = "module:attribute" }, { static = "folder" }, { file = "name" }, { redirect = "/path" }, '
        '{ proxy = "http://127.0.0.1:5173" } or { fleet = "folder" }.'
    ),
)
FOLDER_OPTIONS = (
    "Known here: dot_files, fallback, group, ignore, immutable, index, max_age, middleware, probe, required, slash."
)
TOP = "development, env, groups, gunicorn, ignore, middleware, mounts, plugins, pythonpath, select, server, severity"
APP_OPTIONS = (
    "Known here: group, ignore, interface, max_concurrency, middleware, probe, required, "
    "shutdown, slash, startup, strip, threads."
)
EVERYBODY = (
    "this folder holds the configuration, which everybody could read then",
    'Name a folder of files alone, such as "static".',
)
REDIRECT = 'Write "/path" or "https://example.com/path".'


@pytest.fixture
def read(tmp_path):
    """Read a file with the given text or bytes."""

    def read(content, name="multiserve.toml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_config(path)

    return read


@pytest.fixture
def problems(read, tmp_path):
    """Read a file that is wrong and give its problems, paths in them shortened."""

    def problems(content, name="multiserve.toml"):
        with pytest.raises(ConfigError) as caught:
            read(content, name)
        assert caught.value.source in ("", str(tmp_path / name))
        short = [(each.key, each.message, each.hint) for each in caught.value.problems]
        return [tuple(text.replace(f"{tmp_path}{os.sep}", "") for text in each) for each in short]

    return problems


KINDS = """
middleware = ["outer:Wrap"]

[mounts]
"{tenant}.example.com/u/{user}" = { app = "t:make", max_instances = 3, idle_seconds = 60, refused_seconds = 5 }
"/u/{user}" = "t:make"
"/old" = { redirect = "/new", status = 301 }
"/x" = { app = "x:app", slash = "redirect", max_concurrency = 2, middleware = ["inner:Wrap(1)"] }

[mounts."/static"]
static = "web/static"
index = "home.html"
fallback = "app.html"
max_age = 60
immutable = ["*.min.*"]
dot_files = true
"""


def test_every_kind_of_mount_has_its_options(read, tmp_path):
    config = read(KINDS)
    tenants, users, redirect, app, static = config.mounts
    assert [mount.kind for mount in config.mounts] == ["tenants", "tenants", "redirect", "app", "static"]
    assert (tenants.key.placeholders, users.key.placeholders) == (("tenant", "user"), ("user",))
    assert (tenants.max_instances, tenants.idle_seconds, tenants.refused_seconds) == (3, 60, 5)
    assert (users.max_instances, users.idle_seconds, users.refused_seconds) == (128, 0, 60)
    assert (static.what, static.folder) == ("web/static", tmp_path / "web/static")
    assert (static.index, static.fallback, static.max_age) == ("home.html", "app.html", 60)
    assert (static.immutable, static.dot_files) == (("*.min.*",), True)
    assert (redirect.what, redirect.status) == ("/new", 301)
    assert (app.slash, app.max_concurrency, app.middleware) == ("redirect", 2, (parse_target("inner:Wrap(1)"),))
    assert config.middleware == (parse_target("outer:Wrap"),)


def test_every_key_of_the_file_is_read(read, tmp_path):
    (tmp_path / "lib").mkdir()
    config = read(VALID)
    assert [(each.key, each.what, each.target, each.toml_key, each.required) for each in config.mounts] == [
        (MountKey(), "storefront:app", parse_target("storefront:app"), 'mounts."/"', False),
        (
            MountKey(prefix="/admin"),
            "backoffice:create_app('staging')",
            parse_target("backoffice:create_app('staging')"),
            'mounts."/admin"',
            True,
        ),
        (
            MountKey("api.example.com", 8000, "/v1"),
            "api.main",
            parse_target("api.main"),
            'mounts."api.example.com:8000/v1/"',
            False,
        ),
        (
            MountKey("*.example.com"),
            "shops/app.py:app",
            parse_target("shops/app.py:app"),
            'mounts."*.example.com"',
            False,
        ),
    ]
    assert [(each.interface, each.threads) for each in config.mounts] == [(None, 4), ("asgi", 8), (None, 4), (None, 4)]
    assert config.path == tmp_path / "multiserve.toml"
    assert config.folder == tmp_path
    assert config.pythonpath == (tmp_path, tmp_path / "lib")
    assert config.plugins == ("shop.checks",)
    assert dict(config.env) == {"SHOP_NAME": "The Shop"}
    assert config.server == Server(host="0.0.0.0", port=5000, strict=True, startup_timeout=20, shutdown_timeout=3)
    assert config.development == Development(
        reload=False, debugger=True, threaded=False, extra_files=("*.yaml",), exclude_patterns=("*.log",)
    )
    assert dict(config.gunicorn) == {"workers": 2, "accesslog": "-"}
    assert config.root == ""


def test_one_mount_is_enough_and_the_rest_has_defaults(read, tmp_path):
    config = read('[mounts]\n"/" = "a"')
    assert (config.server, config.development) == (Server(), Development())
    assert (dict(config.env), dict(config.gunicorn), config.pythonpath) == ({}, {}, (tmp_path,))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'\xef\xbb\xbf[mounts]\n"/caf\xc3\xa9" = "a"', id="a byte order mark"),
        pytest.param(b'[mounts]\r\n"/caf\xc3\xa9" = "a"\r\n', id="line ends of Windows"),
        pytest.param(b'mounts."/caf\xc3\xa9" = "a"', id="a dotted key"),
        pytest.param(b'mounts = { "/caf\xc3\xa9/" = { app = "a" } }', id="inline tables"),
        pytest.param(b'[mounts."/caf\xc3\xa9"]\napp = "a"', id="a table of its own"),
    ],
)
def test_the_ways_to_write_a_mount_are_equal(read, content):
    assert [(str(mount.key), mount.what) for mount in read(content).mounts] == [("/café", "a")]


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "site" / "lib").mkdir(parents=True)
    (tmp_path / "site" / "multiserve.toml").write_text('pythonpath = ["lib"]\n[mounts]\n"/" = "a"')
    monkeypatch.chdir(tmp_path)
    config = load_config("site/multiserve.toml")
    assert config.path == tmp_path / "site" / "multiserve.toml"
    assert config.pythonpath == (tmp_path / "site", tmp_path / "site" / "lib")


def test_a_pyproject_has_everything_under_its_tool_table(read, problems):
    config = read('[project]\nname = "x"\n[tool.multiserve.mounts]\n"/" = "a"\n', "pyproject.toml")
    assert config.root == "tool.multiserve"
    assert config.mounts[0].toml_key == 'tool.multiserve.mounts."/"'
    assert problems("[tool.multiserve.mounts]\nadmin = 'a'\n[tool.multiserve.server]\nprot = 1", "pyproject.toml") == [
        (
            "tool.multiserve.mounts.admin",
            '"admin" is neither a path nor a host',
            'Did you mean "/admin"? A host has a dot or a port.',
        ),
        ("tool.multiserve.server.prot", "no such key", 'Did you mean "port"?'),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[project]\nname = 'x'", id="no tool table"),
        pytest.param("[tool.ruff]", id="no multiserve table"),
        pytest.param("[tool]\nmultiserve = 1", id="multiserve is no table"),
        pytest.param("tool = 1", id="tool is no table"),
    ],
)
def test_a_pyproject_without_the_table_is_refused(problems, text):
    hint = "Write [tool.multiserve.mounts] in it, or name another file with --config."
    assert problems(text, "pyproject.toml") == [("", "there is no [tool.multiserve] table", hint)]


A = '[mounts]\n"/" = "a"\n'  # a file that is right so far
EMPTY = ("mounts", "there are no mounts", 'Write at least one, such as "/" = "module:app".')
SHAPE = 'Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [EMPTY], id="an empty file"),
        pytest.param("[mounts]", [EMPTY], id="an empty table"),
        pytest.param("# nothing\n[server]\nport = 1", [EMPTY], id="no table"),
        pytest.param(
            "mounts = 'a'", [("mounts", "expected a table, found a text", "Write [mounts].")], id="mounts is a text"
        ),
        pytest.param(
            "[[mounts]]\napp = 'a'",
            [("mounts", "expected a table, found a list", "Write [mounts].")],
            id="mounts is a list of tables",
        ),
        pytest.param(A + "[sevrer]", [("sevrer", "no such key", 'Did you mean "server"?')], id="an unknown table"),
        pytest.param(
            A + "[root]",
            [
                (
                    "root",
                    "no such key",
                    f"Known here: {TOP}.",
                )
            ],
            id="a field that is no key",
        ),
        pytest.param(
            A + "[zzz]",
            [
                (
                    "zzz",
                    "no such key",
                    f"Known here: {TOP}.",
                )
            ],
            id="an unknown table without a near one",
        ),
        pytest.param(
            A + '"/admin/" = "a"\n"/admin" = "b"',
            [('mounts."/admin"', 'the same mount as mounts."/admin/"', "Keep one of the two.")],
            id="two spellings of one mount",
        ),
        pytest.param(
            A + '"Example.com" = "a"\n"example.com./" = "b"',
            [('mounts."example.com./"', 'the same mount as mounts."Example.com"', "Keep one of the two.")],
            id="two spellings of one host",
        ),
        pytest.param(
            A + '"/x/" = "a:"\n"/x" = "b"',
            [
                ('mounts."/x/"', '"" is neither an attribute nor one call of a factory', SHAPE),
                ('mounts."/x"', 'the same mount as mounts."/x/"', "Keep one of the two."),
            ],
            id="two spellings, one of them wrong in another way",
        ),
        pytest.param(
            "[mounts]\nadmin = 'a'",
            [
                (
                    "mounts.admin",
                    '"admin" is neither a path nor a host',
                    'Did you mean "/admin"? A host has a dot or a port.',
                )
            ],
            id="a bare word",
        ),
        pytest.param(
            A + '"/caf%C3%A9" = "a"',
            [
                (
                    'mounts."/caf%C3%A9"',
                    "a prefix is plain text, not percent-escaped",
                    "Write the character itself, such as é for %C3%A9.",
                )
            ],
            id="a percent-escape",
        ),
        pytest.param(
            A + '"example.com:99999" = "a"',
            [('mounts."example.com:99999"', '"99999" is not a port', "Write a number from 1 to 65535.")],
            id="a port out of range",
        ),
        pytest.param(
            A + '"https://example.com" = "a"',
            [('mounts."https://example.com"', "a key has no scheme", 'Write "example.com".')],
            id="a scheme",
        ),
        pytest.param(
            A + '"" = "a"',
            [
                (
                    'mounts.""',
                    "a key is empty",
                    'Write "/" for the root, "/path" for a prefix, or a host such as "example.com".',
                )
            ],
            id="an empty key",
        ),
        pytest.param(
            A + 'api.example.com = "a"',
            [
                (
                    "mounts.api",
                    "this is a table, not the key of a mount",
                    'A host is written in quotes, "api.example.com", and a path begins with a slash, "/api".',
                )
            ],
            id="a host without quotes",
        ),
        pytest.param(
            A + 'example.com = { app = "a" }',
            [
                (
                    "mounts.example",
                    "this is a table, not the key of a mount",
                    'A host is written in quotes, "example.com", and a path begins with a slash, "/example".',
                )
            ],
            id="a host without quotes, with a table",
        ),
        pytest.param(
            A + '"/x" = 1',
            [('mounts."/x"', "expected a target, found a whole number", 'Write "module:attribute" in quotes.')],
            id="a number as a target",
        ),
        pytest.param(
            A + '"/x" = ["a"]',
            [('mounts."/x"', "expected a target, found a list", 'Write "module:attribute" in quotes.')],
            id="a list as a target",
        ),
        pytest.param(
            A + '"/x" = 2024-02-29',
            [('mounts."/x"', "expected a target, found a date or time", 'Write "module:attribute" in quotes.')],
            id="a date as a target",
        ),
        pytest.param(
            A + '"/x" = "a\\u0000"',
            [('mounts."/x"', "the text contains a NUL character", "Take the character out.")],
            id="NUL in a target",
        ),
        pytest.param(
            A + '"/x" = "my-app:x"',
            [('mounts."/x"', '"my-app" is not the name of a module', 'Write the path of the file: "my-app.py:x".')],
            id="no module",
        ),
        pytest.param(
            A + '"/x" = {}',
            [('mounts."/x"', *NEEDS)],
            id="an empty mount",
        ),
        pytest.param(
            A + '"/x" = { ap = "a" }',
            [
                ('mounts."/x"', *NEEDS),
                ('mounts."/x".ap', "no such key", 'Did you mean "app"?'),
            ],
            id="an unknown option of a mount",
        ),
        *(
            pytest.param(
                A + f'"/x" = {{ {word} = "a" }}',
                [('mounts."/x"', *NEEDS), (f'mounts."/x".{word}', "no such key", f'Did you mean "{meant}"?')],
                id=f"{word} for {meant}",
            )
            for word, meant in (("target", "app"), ("module", "app"), ("folder", "static"), ("to", "redirect"))
        ),
        pytest.param(
            A + '"/x" = { app = ["a"] }',
            [('mounts."/x".app', "expected a text, found a list", "Write one text in quotes.")],
            id="a list of applications",
        ),
        pytest.param(
            A + '"/x" = { app = "a", static = "b" }',
            [('mounts."/x"', "a mount cannot be both app and static", "Keep one of them.")],
            id="two kinds at once",
        ),
        pytest.param(
            A + '"/x" = { static = "b", threads = 4 }',
            [
                (
                    'mounts."/x".threads',
                    "no such key",
                    FOLDER_OPTIONS,
                )
            ],
            id="an option of another kind",
        ),
        pytest.param(
            A + '"/x" = { app = "a", max_instances = 4 }',
            [('mounts."/x".max_instances', "no such key", APP_OPTIONS)],
            id="an option of tenants without a placeholder",
        ),
        pytest.param(
            A + '"/x" = { static = 1, max_age = "1h" }',
            [
                ('mounts."/x".static', "expected a text, found a whole number", "Put the value in quotes."),
                ('mounts."/x".max_age', "expected a whole number, found a text", "Write it without quotes."),
            ],
            id="a static folder with wrong types",
        ),
        pytest.param(
            A + '"/x/{y}" = { static = "b" }',
            [
                (
                    'mounts."/x/{y}"',
                    "only an app or a proxy can stand at a key with placeholders",
                    "Write one key for each prefix.",
                )
            ],
            id="a static folder at a placeholder",
        ),
        pytest.param(
            A + '"/x/{y}" = "a"\n"/x/{z}/" = "b"',
            [('mounts."/x/{z}/"', 'the same mount as mounts."/x/{y}"', "Keep one of the two.")],
            id="one place with two placeholders",
        ),
        pytest.param(
            A + '"/x" = { redirect = "new" }',
            [('mounts."/x".redirect', '"new" is neither a path nor a URL', REDIRECT)],
            id="a redirect to a word",
        ),
        pytest.param(
            A + '"/x" = { redirect = "//evil.test" }',
            [('mounts."/x".redirect', '"//evil.test" is neither a path nor a URL', REDIRECT)],
            id="a redirect without a scheme",
        ),
        pytest.param(
            A + '"/x" = { redirect = "https://user@example.com" }',
            [('mounts."/x".redirect', "a redirect has no user", REDIRECT)],
            id="a redirect with a user",
        ),
        pytest.param(
            A + '"/x" = { redirect = "https://münchen.example" }',
            [
                (
                    'mounts."/x".redirect',
                    '"münchen.example" is not as browsers send it',
                    'Write the host in its "xn--" form.',
                )
            ],
            id="a redirect to a host that is not ASCII",
        ),
        pytest.param(
            A + '"/x" = { redirect = "/{y}" }',
            [('mounts."/x".redirect', "a redirect has no placeholders", REDIRECT)],
            id="a redirect with a placeholder",
        ),
        pytest.param(
            A + '"/x" = { static = "" }\n"/y" = { static = ".." }',
            [(f'mounts."/{name}".static', *EVERYBODY) for name in "xy"],
            id="folders that hold the configuration",
        ),
        pytest.param(
            A + '"/x" = { redirect = "/new?a=1" }',
            [('mounts."/x".redirect', "a redirect keeps the query of the request, and has none of its own", REDIRECT)],
            id="a redirect with a query",
        ),
        pytest.param(
            A + '"/x" = { redirect = "/a\\\\b" }',
            [('mounts."/x".redirect', "a redirect has no spaces, backslashes or control characters", REDIRECT)],
            id="a redirect with a backslash",
        ),
        pytest.param(
            A + '"/x" = { redirect = "/new", status = 300 }',
            [('mounts."/x".status', '"300" is not one of the choices', "Known here: 301, 302, 303, 307, 308.")],
            id="a status that is no redirect",
        ),
        pytest.param(
            A + '"/x" = { app = "a", slash = "add" }',
            [('mounts."/x".slash', '"add" is not one of the choices', "Known here: keep, redirect.")],
            id="an unknown way with slashes",
        ),
        pytest.param(
            A + '"/x" = { app = "a", middleware = ["a b", "pkg.mod"] }',
            [
                ('mounts."/x".middleware', '"a b" is not the name of a module', 'Write "a:b".'),
                (
                    'mounts."/x".middleware',
                    '"pkg.mod" names nothing in the module',
                    'Write "pkg.mod:name" or "pkg.mod:name(option=1)".',
                ),
            ],
            id="middleware that cannot be imported",
        ),
        pytest.param(
            A + '"/x" = { app = 1, required = "yes" }',
            [
                ('mounts."/x".app', "expected a text, found a whole number", "Put the value in quotes."),
                ('mounts."/x".required', "expected true or false, found a text", "Write it without quotes."),
            ],
            id="wrong options of a mount",
        ),
        pytest.param(
            A
            + '"/x" = { app = "a", interface = "asig", threads = 0 }\n'
            + '"/y" = { app = "a", interface = 3, threads = "4" }',
            [
                ('mounts."/x".interface', '"asig" is not one of the choices', 'Did you mean "asgi"?'),
                ('mounts."/x".threads', "0 is out of range", "Write a number from 1 to 1000."),
                ('mounts."/y".interface', "expected a text, found a whole number", "Put the value in quotes."),
                ('mounts."/y".threads', "expected a whole number, found a text", "Write it without quotes."),
            ],
            id="wrong interfaces and threads",
        ),
        pytest.param(
            A + '"/x" = { app = "a:f(x)" }',
            [
                (
                    'mounts."/x".app',
                    "the argument x is not a literal",
                    "Arguments are literals, such as 'text', 3, True or [1, 2], and the name prefix.",
                )
            ],
            id="a wrong target in a table",
        ),
        pytest.param(
            A + "[env]\nDEBUG = 1\n'A=B' = 'x'\n'' = 'x'\nNUL = \"\\u0000\"\n[env.NESTED]\nX = 'y'",
            [
                ("env.DEBUG", "expected a text, found a whole number", "Put the value in quotes."),
                ('env."A=B"', "not the name of an environment variable", ""),
                ('env.""', "not the name of an environment variable", ""),
                ("env.NUL", "the text contains a NUL character", "Take the character out."),
                ("env.NESTED", "expected a text, found a table", "Write one text in quotes."),
            ],
            id="environment variables",
        ),
        pytest.param(
            A + "[server]\nhost = 1\nport = true\nstrict = 'yes'",
            [
                ("server.host", "expected a text, found a whole number", "Put the value in quotes."),
                ("server.port", "expected a whole number, found true or false", "Write a number such as 1."),
                ("server.strict", "expected true or false, found a text", "Write it without quotes."),
            ],
            id="wrong types",
        ),
        pytest.param(
            A + "[server]\nport = 65536",
            [("server.port", "65536 is out of range", "Write a number from 0 to 65535.")],
            id="a number out of range",
        ),
        pytest.param(
            A + "[server]\nstartup_timeout = 0\nshutdown_timeout = 1.5",
            [
                ("server.startup_timeout", "0 is out of range", "Write a number from 1 to 3600."),
                (
                    "server.shutdown_timeout",
                    "expected a whole number, found a number with a fraction",
                    "Write a number such as 1.",
                ),
            ],
            id="wrong timeouts",
        ),
        pytest.param(
            A + f"[server]\nport = {'9' * 1000}",
            [("server.port", "a number of that size is out of range", "Write a number from 0 to 65535.")],
            id="a number of 1000 digits",
        ),
        pytest.param(
            A + "[development]\nextra_files = 'x'\nexclude_patterns = [1]\nrelaod = true",
            [
                ("development.relaod", "no such key", 'Did you mean "reload"?'),
                (
                    "development.extra_files",
                    "expected a list of texts, found a text",
                    'Write extra_files = ["...", "..."].',
                ),
                (
                    "development.exclude_patterns",
                    "expected a list of texts, found a list with something else in it",
                    'Write exclude_patterns = ["...", "..."].',
                ),
            ],
            id="the development server",
        ),
        pytest.param(
            "gunicorn = 4\nserver = []\n" + A,
            [
                ("server", "expected a table, found a list", "Write [server]."),
                ("gunicorn", "expected a table, found a whole number", "Write [gunicorn]."),
            ],
            id="no tables",
        ),
        pytest.param(
            "plugins = ['shop.checks', 'shop:checks', 'shop.checks', 'shop/checks.py', 'shop.checks\\n']\n".replace(
                "'", '"'
            )
            + A,
            [
                ("plugins", '"shop:checks" is not the name of a module', 'Write it with dots: "shop.checks".'),
                ("plugins", '"shop.checks" is named twice', "Keep one of the two."),
                ("plugins", '"shop/checks.py" is not the name of a module', 'Write it with dots: "shop.checks".'),
                ("plugins", '"shop.checks\n" is not the name of a module', 'Write it with dots: "shop.checks".'),
            ],
            id="plugins",
        ),
        pytest.param(
            "pythonpath = ['lib']\n" + A,
            [("pythonpath", "no such folder: lib", "Paths are relative to the folder of this file.")],
            id="a folder that is not there",
        ),
        pytest.param(
            f"pythonpath = ['{'x' * 5000}']\n" + A,
            [
                (
                    "pythonpath",
                    f"no such folder: {'x' * 100}…{'x' * 99}",
                    "Paths are relative to the folder of this file.",
                )
            ],
            id="a folder whose name is too long",
        ),
        pytest.param(
            "pythonpath = 'lib'\n" + A,
            [("pythonpath", "expected a list of texts, found a text", 'Write pythonpath = ["...", "..."].')],
            id="pythonpath is no list",
        ),
    ],
)
def test_every_mistake_says_where_it_is_what_is_wrong_and_what_to_do(problems, text, expected):
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            b"[mounts]\n/admin = 'a'",
            (
                "multiserve.toml:2:1",
                'not TOML: a key with "/" in it is written in quotes',
                "Write \"/admin\" = 'a'.",
            ),
            id="a key without quotes",
        ),
        pytest.param(
            b'[mounts]\n"/" = storefront',
            ("multiserve.toml:2:7", "not TOML: a text is written in quotes", 'Write "/" = "storefront".'),
            id="a value without quotes",
        ),
        pytest.param(
            b'[mounts]\n"/" = "a"\n"/" = "b"',
            (
                "multiserve.toml:3:1",
                'not TOML: the key "/" is there twice',
                "Line 2 has it as well: keep one of the two.",
            ),
            id="the same key twice",
        ),
        pytest.param(
            b'[mounts]\n"/" = "a\n',
            ("multiserve.toml:2:9", "not TOML: the text has no quote at its end", 'Write "/" = "a".'),
            id="a text without its end",
        ),
        pytest.param(b"\0", ("multiserve.toml:1:1", "not TOML: Invalid statement", ""), id="NUL"),
        pytest.param(
            b'[mounts]\n"/" = "caf\xe9"',
            ("multiserve.toml:2", "not UTF-8: the byte 0xe9", "Save the file as UTF-8."),
            id="Latin-1",
        ),
        pytest.param(
            '[mounts]\n"/" = "a"'.encode("utf-16"),
            ("multiserve.toml:1", "not UTF-8: the byte 0xff", "Save the file as UTF-8."),
            id="UTF-16",
        ),
        pytest.param(
            b"\xef\xbb\xbf\n\n\xff",
            ("multiserve.toml:3", "not UTF-8: the byte 0xff", "Save the file as UTF-8."),
            id="a wrong byte alone on its line",
        ),
        pytest.param(
            b"a = " + b"9" * 5000,
            (
                "",
                (
                    "cannot be read: Exceeds the limit (4300 digits) for integer string conversion: "
                    "value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit"
                ),
                "",
            ),
            id="a number that Python refuses to read",
        ),
        pytest.param(
            b"a = " + b"[" * 100_000, ("", "not TOML: nested too deeply", ""), id="a hundred thousand brackets"
        ),
    ],
)
def test_what_is_not_toml_gives_line_and_column(problems, content, expected):
    assert problems(content) == [expected]


def test_what_is_not_toml_is_shown(read):
    with pytest.raises(ConfigError) as caught:
        read(b'[mounts]\r\n\t"/" = web:app  # \xe2\x82\xac\r\n')
    assert caught.value.problems[0].excerpt == '2 |  "/" = web:app  # \u20ac\n  |        ^'


def error_of(act):
    with pytest.raises(ConfigError) as caught:
        act()
    return str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    path = tmp_path / "no.toml"
    assert error_of(lambda: load_config(path)) == (
        f"{path}:\nno such file\n    Check the path given by --config or MULTISERVE_CONFIG."
    )


def test_a_folder_in_place_of_a_file_is_told(tmp_path):
    assert error_of(lambda: load_config(tmp_path)) == (
        f"{tmp_path}:\nthis is a folder\n    Name the file in it, such as {tmp_path / 'multiserve.toml'}."
    )


def test_a_file_where_a_folder_should_be_is_told(tmp_path):
    (tmp_path / "x").touch()
    path = tmp_path / "x" / "multiserve.toml"
    assert error_of(lambda: load_config(path)) == f"{path}:\ncannot be read: Not a directory"


def test_a_path_that_no_system_has_is_told():
    assert error_of(lambda: load_config("a\0b")) == "a\0b:\ncannot be read: embedded null byte"
    assert error_of(lambda: load_config("x" * 5000)) == f"{'x' * 5000}:\ncannot be read: File name too long"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path):
    path = tmp_path / "multiserve.toml"
    path.touch(mode=0)
    assert error_of(lambda: load_config(path)) == f"{path}:\ncannot be read: Permission denied"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_is_found_in_four_places_in_order(here, monkeypatch):
    (here / "pyproject.toml").write_text('[tool.multiserve.mounts]\n"/" = "a"')
    assert find_config() == Path("pyproject.toml")
    (here / "multiserve.toml").touch()
    assert find_config() == Path("multiserve.toml")
    (here / "other.toml").touch()
    monkeypatch.setenv("MULTISERVE_CONFIG", "other.toml")
    assert find_config() == Path("other.toml")
    assert find_config("explicit.toml") == Path("explicit.toml")


def test_an_empty_variable_is_no_variable(here, monkeypatch):
    (here / "multiserve.toml").touch()
    monkeypatch.setenv("MULTISERVE_CONFIG", "")
    assert find_config() == Path("multiserve.toml")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("no.toml", "no.toml", id="no such file"),
        pytest.param("x" * 5000, f"{'x' * 99}…{'x' * 98}", id="a name too long"),
    ],
)
def test_a_variable_that_points_nowhere_is_named(here, monkeypatch, name, shown):
    monkeypatch.setenv("MULTISERVE_CONFIG", name)
    assert error_of(find_config) == (
        f'MULTISERVE_CONFIG: there is no file "{shown}"\n'
        "    Correct the variable, unset it, or name a file with --config."
    )


@pytest.mark.parametrize("pyproject", [pytest.param(None, id="no file"), pytest.param("[tool.x]", id="no table")])
def test_where_there_is_no_file_the_first_one_is_shown(here, pyproject):
    if pyproject is not None:
        (here / "pyproject.toml").write_text(pyproject)
    assert error_of(find_config) == (
        "no configuration: there is no multiserve.toml here, and no [tool.multiserve] in pyproject.toml\n"
        "    Name a file with --config or MULTISERVE_CONFIG, or write a multiserve.toml:\n"
        '\n    [mounts]\n    "/" = "module:app"'
    )


def test_a_broken_pyproject_is_told(here):
    (here / "pyproject.toml").write_text("[tool")
    assert error_of(find_config) == (
        "pyproject.toml:1:6: not TOML: the name of a table has no ] at its end\n"
        "    1 | [tool\n      |      ^\n"
        "    Write [tool]."
    )


@pytest.mark.parametrize(
    ("keys", "selected"),
    [
        pytest.param(["/admin"], ["/admin"], id="one"),
        pytest.param(["/admin/"], ["/admin"], id="another spelling"),
        pytest.param(["example.com", "/"], ["/", "example.com"], id="two, in the order of the file"),
        pytest.param(["/", "/"], ["/"], id="one twice"),
    ],
)
def test_only_some_mounts_are_selected(read, keys, selected):
    config = read('[mounts]\n"/" = "a"\n"/admin" = "b"\n"example.com" = "c"')
    only = select(config, keys)
    assert [str(mount.key) for mount in only.mounts] == selected
    assert {*only.mounts, *only.elsewhere} == {*config.mounts}
    assert len(only.elsewhere) == len(config.mounts) - len(selected)


def test_a_fleet_is_selected_with_its_members(read, here):
    (here / "apps").mkdir()
    (here / "apps" / "one.py").write_text("def app(environ, start_response): ...")
    config = read('[mounts]\n"/" = "a"\n"/apps" = { fleet = "apps" }')
    only = select(config, ["/apps"])
    assert [str(mount.key) for mount in only.mounts] == ["/apps", "/apps/one"]
    assert [str(mount.key) for mount in only.elsewhere] == ["/"]


def test_every_key_that_selects_nothing_is_told(read):
    config = read('[mounts]\n"/" = "a"\n"/admin" = "b"\n')
    with pytest.raises(ConfigError) as caught:
        select(config, ["/admni", "/", "admin", "zzz.example.com"])
    assert caught.value.problems == (
        Problem(key="/admni", message="no such mount", hint='Did you mean "/admin"?'),
        Problem(
            key="admin",
            message='"admin" is neither a path nor a host',
            hint='Did you mean "/admin"? A host has a dot or a port.',
        ),
        Problem(key="zzz.example.com", message="no such mount", hint="Known here: /, /admin."),
    )


EXAMPLES = [VALID, *(path.read_text("utf-8") for path in Path(__file__).parents[2].glob("examples/*/multiserve.toml"))]
PIECES = st.binary(max_size=4) | st.sampled_from(
    [b'"', b"'", b"[", b"]", b"{", b"}", b"=", b".", b"\n", b"\r", b"\0", b"\xff", b"/", b"%41", b"*", b":", b"(", b"#"]
)


@st.composite
def mutated_files(draw):
    """Delete, insert and swap pieces of a file that is right."""
    data = draw(st.sampled_from(EXAMPLES)).encode()
    for _ in range(draw(st.integers(1, 6))):
        start, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        end = min(end, start + draw(st.sampled_from([0, 1, 8, 64])))
        piece = data[start:end][::-1] if draw(st.booleans()) else draw(PIECES)
        data = data[:start] + piece + data[end:]
    return data


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = NAMES | st.sampled_from(
    [
        "mounts",
        "env",
        "server",
        "development",
        "gunicorn",
        "pythonpath",
        "app",
        "required",
        "port",
        "/",
        "/x",
        "a.b",
        "*.a",
    ]
)
TOML_VALUES = st.recursive(
    st.booleans()
    | st.integers()
    | st.integers(10**4200, 10**4290)
    | st.floats()
    | NAMES
    | NAMES.map("a:{}".format)
    | st.dates()
    | st.times()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def other_values(draw):
    """Replace one value of a file that is right by another one."""
    document = tomli.loads(draw(st.sampled_from(EXAMPLES)))
    table = document
    while isinstance(inner := table[draw(st.sampled_from(sorted(table)))], dict) and inner and draw(st.integers(0, 3)):
        table = inner
    table[draw(st.sampled_from(sorted(table)) | KEYS)] = draw(TOML_VALUES)
    return tomli_w.dumps(document).encode()


@settings(max_examples=400, deadline=None)
@given(
    mutated_files()
    | other_values()
    | st.dictionaries(KEYS, TOML_VALUES).map(lambda each: tomli_w.dumps(each).encode())
    | st.binary()
)
@example(b"x = 0000-01-01")
@example(b"x = 9999-12-31T23:59:59-23:59")
@example(b"[mounts]\n'/' = 0x" + b"f" * 100_000)
@example(b"[server]\nport = 0x" + b"f" * 100_000)
@example(b"[mounts]\n'example.com:000001" + b"0" * 5000 + b"' = 'a'")
@example(b"a." * 20_000 + b"a = 1")
@example(b"mounts." + b"a." * 500 + b"a = 1")
@example(b"[mounts]\n'/' = 'a:f(" + b"(" * 50_000 + b"'")
@example(b"[mounts]\n'/' = 'a:f(" + b"9" * 50_000 + b")'")
def test_reading_any_bytes_gives_a_configuration_or_its_problems(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "multiserve.toml")
        path.write_bytes(data)
        with contextlib.suppress(ConfigError):
            config = load_config(path)
            assert isinstance(config, Config)
            assert config.mounts
