from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multiserve.config.targets import Call, Placeholder, Target, TargetProblem, parse_target

SHAPE = 'Write "module:attribute", "module:factory(...)" or "path/to/file.py:attribute".'
LITERALS = "Arguments are literals, such as 'text', 3, True or [1, 2], and the name prefix."


@pytest.mark.parametrize(
    ("text", "module", "attribute", "call", "file"),
    [
        pytest.param("shop", "shop", "", None, "", id="a module"),
        pytest.param("shop.web.main", "shop.web.main", "", None, "", id="a dotted module"),
        pytest.param("shop:app", "shop", "app", None, "", id="an attribute"),
        pytest.param("shop:site.admin.app", "shop", "site.admin.app", None, "", id="a dotted attribute"),
        pytest.param(" shop:app\n", "shop", "app", None, "", id="spaces around it"),
        pytest.param("shop: app ", "shop", "app", None, "", id="spaces inside"),
        pytest.param("café:größe", "café", "größe", None, "", id="names that are not ASCII"),
        pytest.param("shop:create_app()", "shop", "create_app", Call(), "", id="a call"),
        pytest.param(
            "shop:create_app('staging', 3, -1.5, debug=True, hosts=['a', 'b'], extra={'x': None})",
            "shop",
            "create_app",
            Call(("staging", 3, -1.5), {"debug": True, "hosts": ["a", "b"], "extra": {"x": None}}),
            "",
            id="a call with literals",
        ),
        pytest.param(
            "shop:Site.make(prefix, root=prefix)",
            "shop",
            "Site.make",
            Call((Placeholder.PREFIX,), {"root": Placeholder.PREFIX}),
            "",
            id="a call with the prefix",
        ),
        pytest.param("shop:f('prefix')", "shop", "f", Call(("prefix",)), "", id="the text prefix is no placeholder"),
        pytest.param("shop:f(\n  1,\n)", "shop", "f", Call((1,)), "", id="a call over several lines"),
        pytest.param("app.py", "app", "", None, "app.py", id="a file"),
        pytest.param("./app.py", "app", "", None, "./app.py", id="a file here"),
        pytest.param("shop/web/app.py:app", "shop.web.app", "app", None, "shop/web/app.py", id="a file in folders"),
        pytest.param("shop\\app.py:app", "shop.app", "app", None, "shop/app.py", id="a file as Windows spells it"),
        pytest.param("my-shop/with-dash.py", "my-shop.with-dash", "", None, "my-shop/with-dash.py", id="dashes"),
        pytest.param("shop/__init__.py:app", "shop", "app", None, "shop/__init__.py", id="the file of a package"),
        pytest.param("app.py:create_app(1)", "app", "create_app", Call((1,)), "app.py", id="a file and a call"),
        pytest.param("shop:f('x.py')", "shop", "f", Call(("x.py",)), "", id="a file as an argument"),
        pytest.param("shop:f('x.py:y')", "shop", "f", Call(("x.py:y",)), "", id="a target as an argument"),
        pytest.param("app.py:f('x.py:y')", "app", "f", Call(("x.py:y",)), "app.py", id="a file and a target in it"),
    ],
)
def test_a_target_is_read(text, module, attribute, call, file):
    assert parse_target(text) == Target(text, module, attribute, call, file)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("", "the target is empty", SHAPE, id="empty"),
        pytest.param(
            ":app", '"" is not the name of a module', 'Write the module in front: "module:app".', id="no module"
        ),
        pytest.param(
            "my-shop:app",
            '"my-shop" is not the name of a module',
            'Write the path of the file: "my-shop.py:app".',
            id="a dash in a module",
        ),
        pytest.param(
            "src\new.py:app",
            "the target has a character in it that cannot be printed",
            "A backslash between double quotes is an escape: write slashes in a path.",
            id="an escape of TOML",
        ),
        pytest.param("shop..web:app", '"shop..web" is not the name of a module', SHAPE, id="two dots"),
        pytest.param(
            "shop/app:app",
            '"shop/app" is not the name of a module',
            'Write the path of the file: "shop/app.py:app".',
            id="a file without its ending",
        ),
        pytest.param(
            "http://a.b",
            '"//a.b" is neither an attribute nor one call of a factory',
            'Write { redirect = "http://a.b" } to send browsers there.',
            id="a URL",
        ),
        pytest.param(
            "shop::app",
            '":app" is neither an attribute nor one call of a factory',
            'Write "shop:app".',
            id="a colon too many",
        ),
        pytest.param("shop:", '"" is neither an attribute nor one call of a factory', SHAPE, id="no attribute"),
        pytest.param("app.py:", '"" is neither an attribute nor one call of a factory', SHAPE, id="a file and no more"),
        pytest.param("a:b:c", '"b:c" is neither an attribute nor one call of a factory', SHAPE, id="two colons"),
        pytest.param("shop:f()()", '"f()()" is neither an attribute nor one call of a factory', SHAPE, id="two calls"),
        pytest.param("a:f().app", '"f().app" is neither an attribute nor one call of a factory', SHAPE, id="behind it"),
        pytest.param("a:apps[0]", '"apps[0]" is neither an attribute nor one call of a factory', SHAPE, id="an item"),
        pytest.param("a:f(", '"f(" is neither an attribute nor one call of a factory', SHAPE, id="half a call"),
        pytest.param("a:f(x=1, x=2)", 'the argument "x" is given twice', "Keep one of the two.", id="twice"),
        pytest.param("a:1", '"1" is neither an attribute nor one call of a factory', SHAPE, id="a number"),
        pytest.param("a:x; y", '"x; y" is neither an attribute nor one call of a factory', SHAPE, id="statements"),
        pytest.param("a:f(name)", "the argument name is not a literal", LITERALS, id="a name"),
        pytest.param("a:f(open('x'))", "the argument open('x') is not a literal", LITERALS, id="a call inside"),
        pytest.param("a:f(debug=x.y)", "the argument x.y is not a literal", LITERALS, id="a name by keyword"),
        pytest.param("a:f([prefix])", "the argument [prefix] is not a literal", LITERALS, id="the prefix in a list"),
        pytest.param("a:f({[]: 1})", "the argument {[]: 1} is not a literal", LITERALS, id="a key that has no hash"),
        pytest.param("a:f(*[1])", "the argument *[1] is not a literal", LITERALS, id="unpacked arguments"),
        pytest.param(
            "a:f(**{})",
            "a factory call cannot unpack **arguments",
            "Write each argument out.",
            id="unpacked keywords",
        ),
        pytest.param(
            "/srv/app.py:app",
            '"/srv/app.py" is outside the folder of the configuration',
            'Add its folder to pythonpath, and write "app" here.',
            id="an absolute file",
        ),
        pytest.param(
            "../app.py",
            '"../app.py" is outside the folder of the configuration',
            'Add its folder to pythonpath, and write "app" here.',
            id="a file in the folder above",
        ),
        pytest.param(
            "C:\\srv\\app.py:app",
            '"C:/srv/app.py" is outside the folder of the configuration',
            'Add its folder to pythonpath, and write "app" here.',
            id="a drive of Windows",
        ),
        pytest.param(
            "shop.web/app.py",
            '"shop.web/app.py" is no module: a name in it has a dot',
            "Rename it, or add the folder to pythonpath.",
            id="a folder with a dot",
        ),
        pytest.param(
            "..py",
            '"..py" is no module: a name in it has a dot',
            "Rename it, or add the folder to pythonpath.",
            id="a file without a name",
        ),
    ],
)
def test_a_text_that_is_no_target_is_told_what_to_write_instead(text, message, hint):
    with pytest.raises(TargetProblem) as caught:
        parse_target(text)
    assert str(caught.value) == message
    assert caught.value.hint == hint


def test_the_prefix_is_filled_in_wherever_it_stands():
    call = parse_target("a:f(prefix, 'x', at=prefix, n=1)").call
    assert call is not None
    assert call.arguments("/admin") == (["/admin", "x"], {"at": "/admin", "n": 1})
    assert call.arguments("") == (["", "x"], {"at": "", "n": 1})


MUTATED = st.text("ab.:/\\()[]{}*='\"\n\0,py1-~é ", max_size=60)


@given(st.text() | MUTATED | MUTATED.map("a:{}".format) | MUTATED.map("a:f({})".format) | MUTATED.map("{}.py".format))
@example("a:" + "(" * 5000)
@example("a:f(" + "[" * 5000)
@example("a:f(" + "-" * 5000 + "1)")
@example("a:f(" + "1+" * 5000 + "1)")
@example("a:f(" + "9" * 5000 + ")")
@example("a:f(0x" + "f" * 5000 + "**x)")
@example("a:" + ".a" * 20000)
@example("a:a" + ".a" * 20000)
@example("a/.py")
@example("/.py")
@example("a:'\ud800'")
@example("a:f('\\N{no such}')")
@example("a:f('\\d')")
def test_any_text_is_a_target_or_a_problem(text):
    with contextlib.suppress(TargetProblem):
        assert parse_target(text).module
