from __future__ import annotations

import pytest

from multiserve.frameworks import Cookie, Facts, Secret

SESSION = Cookie("session", "/", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH")
ONE, TWO = Secret("SECRET_KEY", "set", "1111"), Secret("SECRET_KEY", "set", "2222")


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


SILENT = [
    pytest.param(
        '"a.example.com" = "plain:app"\n"b.example.com" = "other:app"',
        {
            "a.example.com": facts(cookies=(SESSION,), secret=ONE),
            "b.example.com": facts(cookies=(SESSION,), secret=TWO),
        },
        id="one cookie at two hosts",
    ),
    pytest.param(
        '"/" = "plain:app"\n"api.example.com" = "other:app"',
        {"/": facts(cookies=(SESSION,), secret=ONE), "api.example.com": facts(cookies=(SESSION,), secret=TWO)},
        id="one cookie, at a host that has a root of its own",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {"/": facts(cookies=(SESSION,), secret=ONE), "/a": facts("Starlette", secret=ONE)},
        id="one key for frameworks that sign in different ways",
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


SAID = [
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"\n"/a/b" = "plain:live"',
        {
            "/": facts(cookies=(SESSION,), secret=ONE),
            "/a": facts(cookies=(SESSION,), secret=TWO),
            "/a/b": facts("Starlette", cookies=(SESSION,), secret=ONE),
        },
        [("MS121", "warning", ("/a/b", "/a", "/"), 'all of them set the cookie "session" for the path /')],
        id="one cookie of three applications",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"\n"/b" = "plain:app"',
        {path: facts(cookies=(), secret=ONE) for path in ("/", "/a", "/b")},
        [("MS122", "note", ("/", "/a", "/b"), "SECRET_KEY of all of them is the same")],
        id="one key of three applications",
    ),
    pytest.param(
        '"a.example.com" = "plain:app"\n"b.example.com" = "other:app"',
        {
            "a.example.com": facts(cookies=(SESSION._replace(domain="example.com"),), secret=ONE),
            "b.example.com": facts(cookies=(SESSION._replace(domain=".example.com"),), secret=TWO),
        },
        [("MS121", "warning", ("b.example.com", "a.example.com"), 'both set the cookie "session" for the path /')],
        id="one cookie in one domain of two hosts",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {path: facts(cookies=(SESSION,), secret=Secret("SECRET_KEY", "default", "3333")) for path in ("/", "/a")},
        [
            ("MS121", "warning", ("/a", "/"), 'both set the cookie "session" for the path /'),
            ("MS123", "note", ("/",), "its SECRET_KEY comes from a template or a tutorial"),
            ("MS123", "note", ("/a",), "its SECRET_KEY comes from a template or a tutorial"),
        ],
        id="one session that nobody can mean, with a key that everybody knows",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {"/": facts("Pyramid", cookies=(SESSION,)), "/a": facts(cookies=(SESSION,), secret=ONE)},
        [("MS121", "note", ("/a", "/"), 'both may set the cookie "session" for the path /')],
        id="one cookie, and keys that are not known",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {"/": facts("Starlette", cookies=(SESSION,), secret=ONE), "/a": facts(cookies=(SESSION,), secret=ONE)},
        [("MS121", "warning", ("/a", "/"), 'both set the cookie "session" for the path /')],
        id="one cookie and one key, signed in different ways",
    ),
    pytest.param(
        '"a.example.com" = "plain:app"\n"b.example.com" = "other:app"',
        {
            "a.example.com": facts(cookies=(SESSION._replace(domain="example.com"),), secret=ONE),
            "b.example.com": facts(cookies=(SESSION._replace(domain=".example.com"),), secret=ONE),
        },
        [("MS122", "note", ("a.example.com", "b.example.com"), "SECRET_KEY of both is the same")],
        id="one session on purpose",
    ),
    pytest.param(
        '"/" = "plain:app"\n"api.example.com/v1" = "other:app"',
        {"/": facts(cookies=(SESSION,), secret=ONE), "api.example.com/v1": facts(cookies=(SESSION,), secret=TWO)},
        [("MS121", "warning", ("api.example.com/v1", "/"), 'both set the cookie "session" for the path /')],
        id="one cookie, at a host that hands the rest on",
    ),
    pytest.param(
        '"localhost:8000" = "plain:app"\n"localhost:9000" = "other:app"\n[server]\nport = 0',
        {
            "localhost:8000": facts(cookies=(SESSION,), secret=ONE),
            "localhost:9000": facts(cookies=(SESSION,), secret=TWO),
        },
        [("MS121", "warning", ("localhost:9000", "localhost:8000"), 'both set the cookie "session" for the path /')],
        id="one cookie at two ports",
    ),
]


@pytest.mark.parametrize(("mounts", "known", "expected"), SAID)
def test_what_is_said_is_as_certain_as_the_reading(look, mounts, known, expected):
    assert look(f"[mounts]\n{mounts}", known) == expected
