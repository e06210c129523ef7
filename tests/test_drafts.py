from __future__ import annotations

import re
import tomllib

import pytest

from multiserve.config.file import load_config
from multiserve.drafts import Draft, DraftMount, to_toml, value_to_toml


def test_a_whole_file():
    draft = Draft(header=["Where it comes from.", "", "And what next."], footer=["The end."])
    draft.mounts = [
        DraftMount("/", {"app": "shop:create_app('a \"b\" \\\\')"}, comment="Flask, shop.py:1\nSaid in two lines."),
        DraftMount("/static", {"static": "static", "max_age": 60}),
        DraftMount("/soon", {"app": "soon:app"}, is_disabled=True),
        DraftMount(
            "/wrapped", {"app": "a:b", "middleware": ["middleware.of.mine:First(option='one')"] * 3}, comment="Long."
        ),
    ]
    draft.pythonpath = ["lib"]
    draft.env = {"A": "1", "B C": "\n"}
    draft.server = {"host": "0.0.0.0", "port": 80}
    draft.development = {"reload": True, "extra_files": []}
    draft.note("second", "Why.", 10)
    draft.note("first\x1b", "A reason that has " + "very " * 20 + "many words.", 2)
    draft.note("last", "With code:\n    x = 1")
    text = to_toml(draft)
    assert (
        text
        == r"""# Where it comes from.
#
# And what next.

pythonpath = ["lib"]

[mounts]
# Flask, shop.py:1
# Said in two lines.
"/"       = "shop:create_app('a \"b\" \\\\')"
"/static" = { static = "static", max_age = 60 }
# "/soon"   = "soon:app"

# Long.
[mounts."/wrapped"]
app = "a:b"
middleware = [
    "middleware.of.mine:First(option='one')",
    "middleware.of.mine:First(option='one')",
    "middleware.of.mine:First(option='one')",
]

[env]
A = "1"
"B C" = "\n"

[server]
host = "0.0.0.0"
port = 80

[development]
reload = true

# Not carried over, or not as it was:
# - last
#     With code:
#         x = 1
# - line 2: first\x1b
#     A reason that has very very very very very very very very very very very very very very very
#     very very very very very many words.
# - line 10: second
#     Why.

# The end.
"""
    )
    read = tomllib.loads(text)
    assert read["mounts"]["/"] == draft.mounts[0].options["app"]
    assert read["mounts"]["/wrapped"] == draft.mounts[3].options
    assert read["env"] == draft.env


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (1.5, "1.5"),
        ('say "a\\b"\x00', '"say \\"a\\\\b\\"\\u0000"'),
        (["a", ("b",)], '["a", ["b"]]'),
        ({"a b": {"c": False}}, '{ "a b" = { c = false } }'),
        ({}, "{}"),
    ],
)
def test_values(value, text):
    assert value_to_toml(value) == text
    assert tomllib.loads(f"x = {text}")["x"] == (["a", ["b"]] if value == ["a", ("b",)] else value)


@pytest.mark.parametrize("value", [None, float("nan"), object()], ids=["None", "not a number", "an object"])
def test_what_toml_does_not_have(value):
    with pytest.raises(TypeError, match=f"TOML has no {type(value).__name__}"):
        value_to_toml(value)


@pytest.mark.parametrize(
    ("key", "app", "reason"),
    [
        pytest.param(
            "admin",
            "a:b",
            '"admin" is neither a path nor a host. Did you mean "/admin"? A host has a dot or a port.',
            id="a wrong key",
        ),
        pytest.param(
            "/x",
            "a:b[0]",
            '"b[0]" is neither an attribute nor one call of a factory. '
            'Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".',
            id="a wrong target",
        ),
        pytest.param("/taken/", "a:c", '"/taken" is mounted by an earlier line.', id="a key twice"),
    ],
)
def test_what_cannot_be_in_the_file_is_a_note(key, app, reason):
    draft = Draft()
    draft.add("/taken", "first", 1, app="a:b")
    draft.add(key, "second", 2, app=app)
    assert [(note.what, note.reason, note.line) for note in draft.notes] == [("second", reason, 2)]
    assert [mount.key for mount in draft.mounts] == ["/taken"]


@pytest.mark.parametrize(
    ("value", "port", "reasons"),
    [
        ("8080", 8080, []),
        (0, 0, []),
        (
            "$PORT",
            None,
            [
                (
                    "multiserve listens on the port in the environment variable PORT, if that is set. "
                    "For another variable set MULTISERVE_PORT, or write --port."
                )
            ],
        ),
        ("70000", None, ['"70000" is not a port.']),
        ("\u0663", None, ['"\u0663" is not a port.']),
    ],
)
def test_ports(value, port, reasons):
    draft = Draft()
    draft.set_port(value, "port", 1)
    assert (draft.server.get("port"), [note.reason for note in draft.notes]) == (port, reasons)


@pytest.mark.parametrize(
    ("value", "threads", "reasons"),
    [
        ("8", 8, []),
        (1, 1, []),
        ("0", None, ["Write threads on the mount, as a number from 1 to 1000."]),
        ("1001", None, ["Write threads on the mount, as a number from 1 to 1000."]),
        (True, None, ["Write threads on the mount, as a number from 1 to 1000."]),
    ],
)
def test_threads_are_on_the_applications(value, threads, reasons):
    draft = Draft()
    draft.add("/", "first", 1, app="a:b")
    draft.add("/static", "second", 2, static="static")
    draft.set_threads(value, "threads", 3)
    assert [mount.options.get("threads") for mount in draft.mounts] == [threads, None]
    assert [note.reason for note in draft.notes] == reasons


@pytest.mark.parametrize(
    ("server", "bind", "expected"),
    [
        pytest.param({"port": 80}, None, None, id="the port alone"),
        pytest.param({}, ["unix:x"], ["unix:x"], id="a socket alone"),
        pytest.param({"port": 80}, ["unix:x"], ["127.0.0.1:80", "unix:x"], id="both"),
        pytest.param({"port": 80, "host": "::"}, ["unix:x"], ["[::]:80", "unix:x"], id="with a host"),
    ],
)
def test_a_port_beside_other_addresses_is_listened_on_too(server, bind, expected):
    draft = Draft(server=server, gunicorn={"bind": bind} if bind else {})
    draft.bind_port_too()
    assert draft.gunicorn.get("bind") == expected


OWN_WORKER = "multiserve's own worker serves WSGI, in threads of each mount, and ASGI: this one is left out."


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gthread", OWN_WORKER),
        ("uvicorn_worker.UvicornWorker", OWN_WORKER),
        (
            "gevent",
            'multiserve\'s own worker has threads instead: to keep it write worker_class = "gevent" under [gunicorn].',
        ),
    ],
)
def test_worker_classes_are_left_out(name, reason):
    draft = Draft()
    draft.note_worker_class(name, f"-k {name}", 1)
    assert [(note.what, note.reason) for note in draft.notes] == [(f"-k {name}", reason)]
    assert draft.gunicorn == {}


@pytest.mark.parametrize("text", ["hello ${USER_X} and ${", "${A:-b}", "$${A}", "$$${", "$A {}"])
def test_no_text_refers_to_a_variable(text, tmp_path):
    draft = Draft()
    draft.mounts = [
        DraftMount("/", {"app": f"a:b({text!r})"}),
        DraftMount("/static", {"static": text}),
        DraftMount("/long", {"app": "a:b", "middleware": [f"c:D({text!r})"] * 9}),
    ]
    draft.env = {f"KEY {text}": text}
    path = tmp_path / "multiserve.toml"
    path.write_text(to_toml(draft))
    config = load_config(path)
    assert dict(config.env) == draft.env
    assert config.mounts[1].what == text
    assert config.mounts[0].target.text == f"a:b({text!r})"
    assert [each.text for each in config.mounts[2].middleware] == [f"c:D({text!r})"] * 9


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("$NAME", "It is that of the process, which the applications see in any case."),
        ("a $X/$Y", 'It has variables: write NAME = "a ${X}/${Y}" under [env], or set it before the start.'),
        ("$(date)", "Set it before the start."),
    ],
)
def test_variables_in_a_variable(value, reason):
    draft = Draft()
    draft.note_variables("NAME", value, re.compile(r"\$(\w+)"), "what", 1)
    assert [(note.what, note.reason, note.line) for note in draft.notes] == [("what", reason, 1)]
    assert draft.env == {}
