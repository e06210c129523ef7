from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import look_at
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.config.processes import for_group
from multiserve.frameworks import Cookie, Facts, Secret

SESSION = Cookie("session", "/", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH")
ONE, TWO = Secret("SECRET_KEY", "set", "1111"), Secret("SECRET_KEY", "set", "2222")


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


SILENT = [
    pytest.param('"/" = "plain:app"\n"/a" = "other:app"', {}, id="applications of which nothing is known"),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        dict.fromkeys(("/", "/a"), facts(cookies=(SESSION,), secret=ONE, logger="x", debug=True)),
        id="one application at two mounts",
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


def test_tenants_and_mounts_that_failed_are_left_alone(look):
    text = '[mounts]\n"/u/{user}" = "plain:make"\n"/a" = "no_such_module:app"\n"/a/b" = "plain:app"'
    assert look(text, {"/a/b": facts(cookies=(SESSION,), secret=ONE)}) == []


def subject_of(config, **more):
    return replace(look_at(compose(config), {}), **more)


GROUPED = """
[mounts]
"/" = "plain:app"
"/blog" = { app = "plain:app", group = "Blog" }
"/a b/c" = "plain:app"
"shop.test" = "plain:app"
"/f" = { fleet = "fleet" }
[groups.Blog]
"""


@pytest.mark.parametrize(
    ("mount", "more", "text"),
    [
        pytest.param("/", "", 'group = "main" on the mount and a table [groups.main]', id="the root"),
        pytest.param("/blog", "", 'group = "blog2" on the mount and a table [groups.blog2]', id="a name that is taken"),
        pytest.param("/a b/c", "", 'group = "a_b_c" on the mount and a table [groups.a_b_c]', id="a long prefix"),
        pytest.param("shop.test", "", 'group = "shop_test" on the mount and a table [groups.shop_test]', id="a host"),
        pytest.param("/f/one", "", 'group = "f_one" on the fleet and a table [groups.f_one]', id="of a fleet"),
        pytest.param(
            "/", 'python = "x"', 'group = "main" on the mount and python = "x" under [groups.main]', id="with a setting"
        ),
    ],
)
def test_a_process_of_its_own_is_offered_in_the_words_of_the_file(
    tmp_path, write_config, kept_process, mount, more, text
):
    (tmp_path / "plain.py").write_text("def app(environ, start_response): ...")
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "one.py").write_text("def app(environ, start_response): ...")
    subject = subject_of(load_config(write_config(GROUPED)))
    member = next(each for each in subject.members if each.mount.name == mount)
    assert subject.own_process(member, more) == text


@pytest.mark.parametrize(
    ("mounts", "alone"),
    [
        pytest.param('"/a" = { app = "plain:app", group = "x" }', True, id="nobody else"),
        pytest.param(
            '"/a" = { app = "plain:app", group = "x" }\n"/r" = { redirect = "/", group = "x" }', True, id="no code"
        ),
        pytest.param(
            '"/a" = { app = "plain:app", group = "x" }\n"/b" = { app = "plain:app", group = "x" }', True, id="itself"
        ),
        pytest.param(
            '"/a" = { app = "plain:app", group = "x" }\n"/f" = { fleet = "fleet", group = "x" }', True, id="a list"
        ),
        pytest.param(
            '"/a" = { app = "plain:app", group = "x" }\n"/b" = { app = "other:app", group = "x" }', False, id="another"
        ),
    ],
)
def test_who_is_alone_in_its_process_disturbs_nobody(tmp_path, write_config, kept_process, mounts, alone):
    for name in ("plain", "other"):
        (tmp_path / f"{name}.py").write_text("def app(environ, start_response): ...")
    (tmp_path / "fleet").mkdir()
    config = load_config(write_config(f"[mounts]\n{mounts}\n[groups.x]"))
    subject = subject_of(for_group(config, config.groups["x"]))
    assert subject.is_alone(subject.members[0]) is alone
    assert (subject.table("gunicorn"), subject.table()) == ("[groups.x.gunicorn]", "[groups.x]")
    without = subject_of(config)
    assert without.is_alone(without.members[0]) is alone
    assert without.table("gunicorn") == "[gunicorn]"
