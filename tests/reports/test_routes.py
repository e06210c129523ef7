from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.reports import routes
from multiserve.reports.text import mount_as_json, ordered
from multiserve.routes.explain import Explanation

FILE = """
[mounts]
"/" = "storefront"
"/admin" = "backoffice:create_app()"
"*.example.com" = { app = "shops:app", interface = "wsgi" }
"example.com:81/v1" = { app = "api.main:app", interface = "asgi" }
"""


@pytest.fixture
def config(write_config):
    return load_config(write_config(FILE))


def test_the_mounts_stand_in_the_order_of_matching(config):
    mounts = ordered(config)
    assert routes.mounts_as_text(mounts).splitlines() == [
        "HOST            PREFIX  KIND  INTERFACE  TARGET",
        "example.com:81  /v1     app   ASGI       api.main:app",
        "*.example.com   /       app   WSGI       shops:app",
        "any             /admin  app   auto       backoffice:create_app()",
        "any             /       app   auto       storefront",
    ]
    assert routes.mounts_as_json(mounts) == {"mounts": [mount_as_json(mount) for mount in mounts]}


def test_where_there_are_groups_a_column_has_them(write_config):
    text = FILE.replace('"backoffice:create_app()"', '{ app = "backoffice:create_app()", group = "staff" }')
    config = load_config(write_config(f"{text}[groups.staff]"))
    assert routes.mounts_as_text(ordered(config)).splitlines() == [
        "HOST            PREFIX  KIND  INTERFACE  GROUP  TARGET",
        "example.com:81  /v1     app   ASGI              api.main:app",
        "*.example.com   /       app   WSGI              shops:app",
        "any             /admin  app   auto       staff  backoffice:create_app()",
        "any             /       app   auto              storefront",
    ]
    assert [each["group"] for each in routes.mounts_as_json(ordered(config))["mounts"]] == ["", "", "staff", ""]


def test_an_explanation_says_in_which_process_the_mount_is(write_config):
    config = load_config(write_config('[mounts]\n"/a" = { app = "a:app", group = "staff" }\n[groups.staff]'))
    result = Explanation(url="/a", mount=config.mounts[0], reason="it is the longest")
    assert routes.explanation_as_text(result).splitlines() == [
        "mount      /a  (a:app)",
        "because    it is the longest",
        'process    that of the group "staff"',
        "runner-up  none: 404",
    ]
    explained = routes.explanation_as_json(result)
    assert explained["mount"]
    assert explained["mount"]["group"] == "staff"


def test_no_mounts_are_told_in_words():
    assert routes.mounts_as_text([]) == "Nothing contains this text."


SEEN = {"script_name": "/admin", "path_info": "", "root_path": "/admin", "path": "/admin"}
NOT_WSGI, NOT_ASGI = {"script_name": None, "path_info": None}, {"root_path": None, "path": None}

TOLD = [
    pytest.param(
        SEEN,
        "mount        /admin  (backoffice:create_app())\n"
        "because      it is the longest\n"
        'SCRIPT_NAME  "/admin"\n'
        'PATH_INFO    ""\n'
        'root_path    "/admin"\n'
        'path         "/admin"\n'
        "runner-up    /  (storefront)",
        id="either interface",
    ),
    pytest.param(
        {**SEEN, **NOT_ASGI},
        "mount        /admin  (backoffice:create_app())\n"
        "because      it is the longest\n"
        'SCRIPT_NAME  "/admin"\n'
        'PATH_INFO    ""\n'
        "runner-up    /  (storefront)",
        id="WSGI",
    ),
    pytest.param(
        {**SEEN, **NOT_WSGI},
        "mount      /admin  (backoffice:create_app())\n"
        "because    it is the longest\n"
        'root_path  "/admin"\n'
        'path       "/admin"\n'
        "runner-up  /  (storefront)",
        id="ASGI",
    ),
]


@pytest.mark.parametrize(("seen", "text"), TOLD)
def test_an_explanation_is_told(config, seen, text):
    root, admin, *_ = config.mounts
    result = Explanation(url="/admin", mount=admin, reason="it is the longest", runner_up=root, **seen)
    assert routes.explanation_as_text(result) == text
    assert routes.explanation_as_json(result) == {
        "url": "/admin",
        "method": "GET",
        "mount": mount_as_json(admin),
        "reason": "it is the longest",
        **seen,
        "values": {},
        "location": None,
        "upstream": None,
        "runner_up": mount_as_json(root),
    }


def test_an_explanation_without_a_runner_up_is_told(config):
    result = Explanation(url="/", mount=config.mounts[0], reason="it is the only one", path_info="/")
    assert routes.explanation_as_text(result).splitlines()[-1] == "runner-up  none: 404"
    assert routes.explanation_as_json(result)["runner_up"] is None


def test_an_explanation_without_a_mount_is_told():
    result = Explanation(url="/x", mount=None, reason="no mount has it")
    assert routes.explanation_as_text(result) == "mount    none\nbecause  no mount has it"
    assert routes.explanation_as_json(result)["mount"] is None


def test_what_is_known_about_the_inside_stands_before_the_runner_up(config):
    root, admin, *_ = config.mounts
    result = Explanation(url="/admin", mount=admin, reason="it is the longest", location="./x/", runner_up=root)
    assert routes.explanation_as_text(result, [("view", "a:b"), ("", "c")]) == (
        "mount      /admin  (backoffice:create_app())\n"
        "because    it is the longest\n"
        "Location   ./x/\n"
        "view       a:b\n"
        "           c\n"
        "runner-up  /  (storefront)"
    )
