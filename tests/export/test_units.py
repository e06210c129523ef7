"""Which mounts are one deployment, and what starts it."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.export.units import find_default, find_misled_tenants, find_units

GROUPED = """
"/" = "shop:app"
"/blog" = { app = "blog:app", group = "Blog_1" }
"/files" = { static = "files" }
"/old" = { app = "old:app", group = "old" }
"/news" = { app = "news:app", group = "Blog_1" }
[groups.Blog_1]
[groups.old]
python = "old/.venv"
"""


@pytest.fixture
def config(write_config):
    return lambda text: load_config(write_config(f"[mounts]\n{text}"))


def shown(units):
    return {unit.name: [mount.name for mount in unit.mounts] for unit in units}


UNITS = [
    pytest.param('"/" = "a:app"', {"root": ["/"]}, id="one"),
    pytest.param(
        '"/files" = { static = "files" }\n"/" = "a:app"\n"/b/files" = { static = "files" }\n"/b" = "b:app"',
        {"root": ["/files", "/"], "b": ["/b/files", "/b"]},
        id="a folder stays with the application above it",
    ),
    pytest.param(
        '"/b" = "b:app"\n"/files" = { static = "files" }\n"/x" = { redirect = "/b" }',
        {"b": ["/b"], "rest": ["/files", "/x"]},
        id="a folder without an application above it",
    ),
    pytest.param(
        '"/" = { static = "files" }\n"/b" = "b:app"\n"{t}.test" = "b:make"\n"/old" = { redirect = "/b" }',
        {"rest": ["/", "{t}.test", "/old"], "b": ["/b"]},
        id="a folder at the root",
    ),
    pytest.param(
        '"/" = "a:app"\n"{t}.x.test" = "b:make"\n"*.x.test" = "c:app"\n"/u/{name}" = "d:make"',
        {"root": ["/", "/u/{name}"], "x-test": ["{t}.x.test", "*.x.test"]},
        id="tenants stay with what answers in their place",
    ),
    pytest.param(
        '"/" = "a:app"\n"/x" = { proxy = "http://127.0.0.1:1" }\n"/y.txt" = { file = "files/y.txt" }',
        {"root": ["/", "/x", "/y.txt"]},
        id="what another server or a file answers",
    ),
    pytest.param(
        '"/api" = "a:app"\n"/" = "b:app"\n"api.test" = "a:app"',
        {"api": ["/api", "api.test"], "root": ["/"]},
        id="an application that is mounted twice is one",
    ),
    pytest.param(
        '"/" = "a:app"\n"/fleet" = { fleet = "fleet" }',
        {"root": ["/"], "fleet": ["/fleet", "/fleet/one", "/fleet/two"]},
        id="a fleet",
    ),
    pytest.param(
        '"/a/b" = "a:app"\n"/a-b" = "b:app"\n"/café" = "c:app"\n"/é" = "d:app"\n"/front" = "e:app"'
        '\n"a.test:81/x" = "f:app"\n"/1" = "g:app"\n"/日本" = "h:app"\n"/日本語" = "i:app"',
        {
            "a-b": ["/a/b"],
            "a-b-2": ["/a-b"],
            "cafe": ["/café"],
            "e": ["/é"],
            "front-2": ["/front"],
            "a-test-81-x": ["a.test:81/x"],
            "m-1": ["/1"],
            "m": ["/日本"],
            "m-2": ["/日本語"],
        },
        id="names",
    ),
    pytest.param(GROUPED, {"main": ["/", "/files"], "blog-1": ["/blog", "/news"], "old": ["/old"]}, id="groups"),
]


@pytest.mark.parametrize(("text", "expected"), UNITS)
def test_units(config, text, expected):
    assert shown(find_units(config(text))) == expected


def test_what_starts_them(config):
    main, blog, old = find_units(config(GROUPED))
    assert main.arguments == main.arguments_on_host == ("--only", "/", "--only", "/files")
    assert blog.arguments == blog.arguments_on_host == ("--only-group", "Blog_1")
    assert old.arguments == ("--only-group", "old")
    assert old.arguments_on_host == ("--only", "/old")


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        pytest.param("old/.venv", ("--only", "/old"), id="an environment beside the file"),
        pytest.param("/opt/old", ("--only-group", "old"), id="an environment elsewhere"),
    ],
)
def test_what_starts_a_group_in_an_image(config, python, expected):
    text = f'"/old" = {{ app = "old:app", group = "old" }}\n[groups.old]\npython = "{python}"'
    (old,) = find_units(config(text))
    assert old.arguments_in_image == expected


def test_a_fleet_is_started_by_its_key(config):
    (fleet,) = find_units(config('"/fleet" = { fleet = "fleet" }'))
    assert fleet.arguments == ("--only", "/fleet")


def test_what_no_mount_answers_comes_to_the_unit_of_the_root(config):
    assert find_default(find_units(config('"/a" = "a:app"\n"/" = "b:app"'))) == "root"
    assert find_default(find_units(config('"/a" = "a:app"\n"b.test" = "b:app"'))) == "a"


MISLED = [
    pytest.param('"/" = "a:app"\n"/u/{name}" = "b:make"', [], id="they fall to their own unit"),
    pytest.param(
        '"/" = "a:app"\n"/api" = "b:app"\n"{t}.test" = "c:make"', [("{t}.test", "/api")], id="another unit below a path"
    ),
    pytest.param(
        '"/" = { app = "a:app", group = "g" }\n"{t}.test" = "c:make"\n[groups.g]', [("{t}.test", "/")], id="a group"
    ),
    pytest.param(
        '"/" = "a:app"\n"/{x}/b" = "b:make"\n"/c" = "c:app"', [("/{x}/b", "/c")], id="a place that two keys make"
    ),
]


@pytest.mark.parametrize(("text", "expected"), MISLED)
def test_tenants_whose_refused_names_another_unit_has(config, text, expected):
    found = config(text)
    problems = find_misled_tenants(found, find_units(found))
    assert [str(each) for each in problems] == [
        f'mounts."{name}": a name that it refuses gets 421 where {other} would answer, in another unit\n'
        f"    If that matters, put them into one group."
        for name, other in expected
    ]
