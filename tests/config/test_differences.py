"""What differs between two readings of a configuration."""

from __future__ import annotations

import pytest

from multiserve.config.differences import Change, MountChange, compare
from multiserve.config.file import load_config
from multiserve.config.processes import for_front

ROOT = '[mounts]\n"/" = "shop:app"\n'
BLOG = '"/blog" = { app = "blog:app", group = "blog" }\n'


@pytest.fixture
def differ(write_config):
    """Compare two files; the first one is what a process in front has of it."""

    def differ(before, after, overridden=()):
        first = load_config(write_config(before))
        second = load_config(write_config(after))
        return compare(for_front(first, dict.fromkeys(first.groups, "/a/socket")), second, overridden)

    return differ


def change(name, kind, before, after, *values, target="shop:app"):
    return (MountChange(name=name, target=target, kind=kind, before=before, after=after, values=values),)


IN_FRONT = '"/blog" = "blog:app"\n'
MOUNTS = {
    "added": (ROOT, f'{ROOT}"/a" = "a:app"\n', change("/a", "added", None, "", target="a:app")),
    "added in a group": (
        ROOT, f"{ROOT}{BLOG}[groups.blog]\n", change("/blog", "added", None, "blog", target="blog:app"),
    ),
    "removed": (f'{ROOT}"/a" = "a:app"\n', ROOT, change("/a", "removed", "", None, target="a:app")),
    "another target": (
        ROOT, ROOT.replace("shop:app", "shop:new"),
        change("/", "changed", "", "", Change("app", "changed", "shop:app", "shop:new"), target="shop:new"),
    ),
    "a table that says the same": (ROOT, '[mounts]\n"/" = { app = "shop:app" }\n', ()),
    "a prefix that means the same": (f'{ROOT}"/a" = "a:app"\n', f'{ROOT}"/a/" = "a:app"\n', ()),
    "another order": (f'{ROOT}"/a" = "a:app"\n', '[mounts]\n"/a" = "a:app"\n"/" = "shop:app"\n', ()),
    "an option": (
        ROOT, '[mounts]\n"/" = { app = "shop:app", required = true }\n',
        change("/", "changed", "", "", Change("required", "added", None, True)),
    ),
    "an option that is gone": (
        '[mounts]\n"/" = { app = "shop:app", required = true }\n', ROOT,
        change("/", "changed", "", "", Change("required", "removed", True, None)),
    ),
    "another kind": (
        ROOT, '[mounts]\n"/" = { redirect = "/x" }\n',
        change(
            "/", "changed", "", "",
            Change("redirect", "added", None, "/x"), Change("app", "removed", "shop:app", None), target="/x",
        ),
    ),
    "a variable, which is not replaced": (
        ROOT, '[mounts]\n"/" = "${APP:-shop:app}"\n',
        change("/", "changed", "", "", Change("app", "changed", "shop:app", "${APP:-shop:app}")),
    ),
    "into a group": (
        f"{ROOT}{IN_FRONT}", f"{ROOT}{BLOG}[groups.blog]\n", change("/blog", "moved", "", "blog", target="blog:app"),
    ),
    "out of a group": (
        f"{ROOT}{BLOG}[groups.blog]\n", f"{ROOT}{IN_FRONT}", change("/blog", "moved", "blog", "", target="blog:app"),
    ),
    "into another group, with an option": (
        f"{ROOT}{BLOG}[groups.blog]\n",
        f'{ROOT}"/blog" = {{ app = "blog:app", group = "old", strip = true }}\n[groups.old]\n',
        change("/blog", "moved", "blog", "old", Change("strip", "added", None, True), target="blog:app"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), MOUNTS.values(), ids=MOUNTS)
def test_mounts_that_differ(differ, before, after, expected):
    found = differ(before, after)
    assert (found.mounts, found.settings) == (expected, ())
    assert found.is_empty is not bool(expected)


SETTINGS = {
    "nothing": ("", "", (), []),
    "of the server": ("", "[server]\nport = 9000\n", (), [("server.port", "added", None, 9000, "reload")]),
    "beside bind": (
        '[gunicorn]\nbind = "127.0.0.1:1"\n', '[server]\nport = 9000\n[gunicorn]\nbind = "127.0.0.1:1"\n', (),
        [("server.port", "added", None, 9000, "none")],
    ),
    "over which the command line has another value": (
        "", "[server]\nport = 9000\nstrict = true\n", ("server.port",),
        [("server.port", "added", None, 9000, "none"), ("server.strict", "added", None, True, "reload")],
    ),
    "of gunicorn": (
        "[gunicorn]\nworkers = 1\n", "[gunicorn]\nworkers = 2\n", (),
        [("gunicorn.workers", "changed", 1, 2, "reload")],
    ),
    "of gunicorn's start": (
        "[gunicorn]\nbacklog = 1\npreload_app = true\n", "[gunicorn]\nbacklog = 2\n", (),
        [
            ("gunicorn.backlog", "changed", 1, 2, "restart"),
            ("gunicorn.preload_app", "removed", True, None, "restart"),
        ],
    ),
    "a descriptor": (
        '[gunicorn]\nbind = "127.0.0.1:1"\n', '[gunicorn]\nbind = ["fd://3"]\n', (),
        [("gunicorn.bind", "changed", "127.0.0.1:1", ["fd://3"], "restart")],
    ),
    "variables without values": (
        '[env]\nA = "secret"\nB = "secret"\nC = "x"\n', '[env]\nA = "other"\nC = "x"\nD = "new"\nE = "new"\n',
        ("env.E",),
        [
            ("env.A", "changed", None, None, "reload"), ("env.D", "added", None, None, "reload"),
            ("env.E", "added", None, None, "none"), ("env.B", "removed", None, None, "reload"),
        ],
    ),
    "variables of gunicorn": (
        '[gunicorn]\nraw_env = ["A=secret"]\n', '[gunicorn]\nraw_env = ["A=other"]\n', (),
        [("gunicorn.raw_env", "changed", None, None, "reload")],
    ),
    "of other commands": (
        "", '[development]\nreload = false\n[severity]\nMS205 = "off"\n', (),
        [("development.reload", "added", None, False, "none"), ("severity.MS205", "added", None, "off", "none")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "overridden", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_settings_that_differ(differ, before, after, overridden, expected):
    found = differ(f"{ROOT}{before}", f"{ROOT}{after}", overridden)
    assert [(*each, effect) for each, effect in found.settings] == expected
    assert found.mounts == ()
    assert found.is_empty is not bool(expected)


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [(["a"], ["a", "b"], "reload"), (["a", "b"], ["a"], "restart"), (["a", "b"], ["b", "a"], "reload")],
    ids=["more", "fewer", "another order"],
)
def test_folders_that_are_searched(differ, tmp_path, before, after, effect):
    for name in "ab":
        (tmp_path / name).mkdir()
    found = differ(f"pythonpath = {before}\n{ROOT}", f"pythonpath = {after}\n{ROOT}")
    assert found.settings == ((Change("pythonpath", "changed", before, after), effect),)


def test_values_of_groups(differ):
    before = f'{ROOT}{BLOG}[groups.blog]\nworkers = 1\n[groups.blog.env]\nKEY = "secret"\n'
    after = f"{ROOT}{BLOG}[groups.blog]\nworkers = 2\n"
    found = differ(before, after)
    assert found.groups == {"blog": (Change("workers", "changed", 1, 2), Change("env.KEY", "removed"))}
    assert (found.mounts, found.settings, found.is_empty) == ((), (), False)


def test_a_group_that_is_gone_has_had_values(differ):
    found = differ(f"{ROOT}{BLOG}[groups.blog]\nworkers = 2\n", ROOT)
    assert found.groups == {"blog": (Change("workers", "removed", 2, None),)}


def test_the_applications_of_a_fleet_that_come_and_go(differ, write_config, tmp_path):
    fleet = '[mounts]\n"/" = { fleet = "apps" }\n'
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "old.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    first = load_config(write_config(fleet))
    (tmp_path / "apps" / "old.py").rename(tmp_path / "apps" / "new.py")
    found = compare(first, load_config(write_config(fleet.replace("}", ', slash = "keep" }'))))
    assert [(each.name, each.kind) for each in found.mounts] == [
        ("/", "changed"), ("/new", "added"), ("/old", "removed"),
    ]  # fmt: skip


def test_a_table_in_pyproject(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.multiserve.mounts]\n"/" = "shop:app"\n[tool.multiserve.gunicorn]\nbacklog = 1\n')
    first = load_config(path)
    path.write_text('[tool.multiserve.mounts]\n"/" = "shop:new"\n[tool.multiserve.gunicorn]\nbacklog = 2\n')
    found = compare(first, load_config(path))
    assert [each.values for each in found.mounts] == [(Change("app", "changed", "shop:app", "shop:new"),)]
    assert found.settings == ((Change("gunicorn.backlog", "changed", 1, 2), "restart"),)


def test_variables_of_other_files_count(write_config, tmp_path):
    pytest.importorskip("dotenv", reason="multiserve[dotenv] is not installed")
    path = tmp_path / ".env"
    path.write_text("KEY=secret\n")
    first = load_config(write_config(ROOT), env_files=[path])
    path.write_text("KEY=other\n")
    found = compare(first, load_config(write_config(ROOT), env_files=[path]))
    assert found.settings == ((Change("env.KEY", "changed"), "reload"),)
