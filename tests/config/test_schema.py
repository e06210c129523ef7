"""The schema and the reader agree about what a file may hold."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from multiserve.config.file import load_config
from multiserve.config.groups import Group
from multiserve.config.model import Config, Development, Server
from multiserve.config.mounts import (
    AppMount,
    FileMount,
    FleetMount,
    ProxiedMount,
    ProxiedPlaceholderMount,
    RedirectMount,
    StaticMount,
    TenantMount,
)
from multiserve.config.schema import make_schema
from multiserve.errors import ConfigError

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "multiserve.toml.example", *sorted(ROOT.glob("examples/*/multiserve.toml"))]
SCHEMA = make_schema()
MOUNT = '[mounts]\n"/" = "a:app"\n'
GROUPED = '[mounts]\n"/" = { app = "a:app", group = "blog" }\n'

GOOD = [
    pytest.param(MOUNT, id="one mount"),
    pytest.param('[mounts]\n"/" = { app = "a:app" }', id="a table"),
    pytest.param(
        '[mounts]\n"/u/{x}" = "a:make"\n"{y}.example.com" = { app = "a:make", max_instances = 1 }', id="tenants"
    ),
    pytest.param('[mounts]\n"localhost" = "a:app"\n"*.x.test:80/y" = "a:app"\n"[::1]" = "a:app"', id="hosts"),
    pytest.param('[mounts]\n"/" = { app = "a:app", probe = ["/health"] }', id="a path to probe"),
    pytest.param('[mounts]\n"/s" = { static = "web", max_age = 0, immutable = ["a/*"] }', id="a folder"),
    pytest.param('[mounts]\n"/r" = { redirect = "/x", status = 301 }', id="a redirect"),
    pytest.param('[mounts]\n"/p" = { proxy = "http://a:1", timeout = 5, host = "target" }', id="a proxy"),
    pytest.param('[mounts]\n"/p/{x}" = { proxy = "http://{x}:1", strip = true }', id="a proxy at a placeholder"),
    pytest.param(MOUNT + '[env]\nX = "1"\n[gunicorn]\nworkers = 3\nbind = ["a:1"]', id="env and gunicorn"),
    pytest.param(f"plugins = ['shop', 'shop.checks', '_x.y2']\n{MOUNT}", id="plugins"),
    pytest.param(f"pythonpath = []\nmiddleware = ['m:Wrap(1)']\n{MOUNT}", id="the top of the file"),
    pytest.param(f"{MOUNT}[server]\nport = 0\nstrict = true\n[development]\ndebugger = false", id="servers"),
    pytest.param(f"{GROUPED}[groups.blog]", id="an empty group"),
    pytest.param(
        f'{GROUPED}[groups.blog]\npython = ".venv"\nworkers = 2\nmax_memory = "512M"\n'
        "[groups.blog.env]\nX = '1'\n[groups.blog.gunicorn]\ntimeout = 3",
        id="a group",
    ),
    pytest.param(f"{GROUPED}[groups.blog]\nmax_memory = 536870912", id="bytes"),
]
BAD = [
    pytest.param("", id="no mounts"),
    pytest.param("[mounts]", id="empty mounts"),
    pytest.param(f"plugins = 'shop'\n{MOUNT}", id="plugins that are a text"),
    pytest.param(f"plugins = ['shop:checks']\n{MOUNT}", id="a plugin that is a target"),
    pytest.param(f"plugins = ['shop/checks.py']\n{MOUNT}", id="a plugin that is a file"),
    pytest.param('[mounts]\n"/" = 1', id="a mount that is a number"),
    pytest.param('[mounts]\n"/" = {}', id="an empty mount"),
    pytest.param('[mounts]\n"/" = ""', id="an empty target"),
    pytest.param('[mounts]\n"/" = { app = 1 }', id="a target that is a number"),
    pytest.param('[mounts]\n"/" = { app = "a:app", ap = 1 }', id="an unknown option"),
    pytest.param('[mounts]\n"/" = { app = "a:app", static = "b" }', id="two kinds"),
    pytest.param('[mounts]\n"/" = { app = "a:app", threads = "4" }', id="a number as text"),
    pytest.param('[mounts]\n"/" = { app = "a:app", threads = 0 }', id="a number that is too small"),
    pytest.param('[mounts]\n"/" = { app = "a:app", threads = 1001 }', id="a number that is too large"),
    pytest.param('[mounts]\n"/" = { app = "a:app", required = 1 }', id="a number for true"),
    pytest.param('[mounts]\n"/" = { app = "a:app", threads = true }', id="true for a number"),
    pytest.param('[mounts]\n"/" = { app = "a:app", interface = "cgi" }', id="an unknown interface"),
    pytest.param('[mounts]\n"/" = { app = "a:app", max_instances = 3 }', id="tenants' option without a placeholder"),
    pytest.param('[mounts]\n"/u/{x}" = { static = "web" }', id="a folder at a placeholder"),
    pytest.param('[mounts]\n"/" = { static = "web", threads = 4 }', id="an option of another kind"),
    pytest.param('[mounts]\n"/" = { redirect = "/x", status = 300 }', id="a status that is no redirect"),
    pytest.param('[mounts]\n"/" = { app = "a:app", middleware = "m:Wrap" }', id="a text for a list"),
    pytest.param('[mounts]\n"/" = { app = "a:app", middleware = [1] }', id="a list of something else"),
    pytest.param('[mounts]\n"/p" = { proxy = "http://a:1", timeout = 0 }', id="a proxy without any time"),
    pytest.param('[mounts]\n"/p" = { proxy = "http://a:1", threads = 1 }', id="a proxy with threads"),
    pytest.param('[mounts]\n"admin" = "a:app"', id="a bare word for a path"),
    pytest.param('[mounts]\n"/" = { app = "a:app", probe = ["health"] }', id="a path without its slash"),
    pytest.param(f"{MOUNT}[env]\nX = 1", id="a variable that is a number"),
    pytest.param(f"{MOUNT}[server]\nprt = 1", id="an unknown key"),
    pytest.param(f"{MOUNT}[server]\nport = 70000", id="a port that is none"),
    pytest.param(f"{MOUNT}[development]\nextra_files = 'a'", id="a text for a list of files"),
    pytest.param(f"mount = 1\n{MOUNT}", id="an unknown table"),
    pytest.param(f"{GROUPED}[groups.blog]\nmax_memory = '512 apples'", id="no amount of memory"),
    pytest.param(f"{GROUPED}[groups.blog]\nmax_memory = 1.5", id="an amount with a fraction"),
    pytest.param(f"{GROUPED}[groups.blog]\nworkers = 0", id="a group without a worker"),
    pytest.param(f"{GROUPED}[groups.blog]\nport = 1", id="an unknown key of a group"),
    pytest.param(f"{GROUPED}[groups.blog.env]\nX = 1", id="a variable of a group that is a number"),
    pytest.param(f"{GROUPED}[groups.'a b']", id="a name that is none"),
    pytest.param(f"gunicorn = 1\n{MOUNT}", id="a number for a table"),
]


def problems_of(document: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(document)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_of_the_repository_fit_the_schema(path: Path) -> None:
    assert problems_of(tomllib.loads(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("text", GOOD)
def test_what_the_reader_takes_fits_the_schema(write_config: Callable[[str], Path], text: str) -> None:
    assert load_config(write_config(text)).mounts
    assert problems_of(tomllib.loads(text)) == []


@pytest.mark.parametrize("text", BAD)
def test_what_the_reader_refuses_does_not_fit_the_schema(write_config: Callable[[str], Path], text: str) -> None:
    with pytest.raises(ConfigError):
        load_config(write_config(text))
    assert problems_of(tomllib.loads(text)) != []


KINDS = {
    "server": Server,
    "development": Development,
}


def test_every_option_of_a_group_has_its_description() -> None:
    assert_described(SCHEMA["properties"]["groups"]["additionalProperties"], Group)


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_option_has_its_description_and_its_default(name: str, kind: type) -> None:
    assert_described(SCHEMA["properties"][name], kind)


def test_every_option_of_every_kind_of_mount_has_them_too() -> None:
    mounts = SCHEMA["properties"]["mounts"]
    (tenants,) = mounts["patternProperties"].values()
    described = [*tenants["anyOf"][1:], *mounts["additionalProperties"]["anyOf"][1:]]
    kinds = (
        *(TenantMount, ProxiedPlaceholderMount),
        *(AppMount, StaticMount, FileMount, RedirectMount, ProxiedMount, FleetMount),
    )
    for table, kind in zip(described, kinds, strict=True):
        assert_described(table, kind)


def test_every_table_of_the_file_is_described() -> None:
    names = {field.name for field in dataclasses.fields(Config)} - {
        "source",
        "root",
        "env_files",
        "written",
        "elsewhere",
        "engine",
        "group",
    }
    assert set(SCHEMA["properties"]) == names
    assert all(each["description"] for each in SCHEMA["properties"].values())


def assert_described(table: dict[str, Any], kind: type) -> None:
    for field in dataclasses.fields(kind):
        if field.metadata:
            option = table["properties"][field.name]
            default = None if field.default is dataclasses.MISSING else field.default
            default = list(default) if isinstance(default, tuple) else default
            assert (option["description"], option.get("default")) == (field.metadata["help"], default)
