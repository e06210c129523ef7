"""`[groups]`: what is read, and every mistake in it."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.config.groups import Group
from multiserve.errors import ConfigError

BLOG = '[mounts]\n"/" = "shop:app"\n"/blog" = { app = "blog:app", group = "blog" }\n'
MEMORY = 'Write it as "512M" or "2G".'


def test_a_group_has_what_the_file_says(write_config, tmp_path):
    (tmp_path / "blog").mkdir()
    text = f"""{BLOG}
[groups.blog]
python = "blog/.venv"
pythonpath = ["blog"]
directory = "blog"
workers = 2
max_memory = "512M"
max_open_files = 100
user = "www-data"
env = {{ TITLE = "Blog" }}
gunicorn = {{ timeout = 5 }}
"""
    assert load_config(write_config(text)).groups == {
        "blog": Group(
            name="blog",
            toml_key="groups.blog",
            python=tmp_path / "blog" / ".venv",
            pythonpath=(tmp_path / "blog",),
            directory=tmp_path / "blog",
            env={"TITLE": "Blog"},
            workers=2,
            max_memory=512 * 1024**2,
            max_open_files=100,
            user="www-data",
            gunicorn={"timeout": 5},
        )
    }


def test_an_empty_table_is_enough(write_config):
    config = load_config(write_config(f"{BLOG}[groups.blog]"))
    group = config.groups["blog"]
    assert group == Group(name="blog", toml_key="groups.blog")
    assert [mount.name for mount in group.mounts_of(config.mounts)] == ["/blog"]


@pytest.mark.parametrize(
    "mount",
    [
        pytest.param('{ static = "blog" }', id="a folder"),
        pytest.param('{ file = "shop.py" }', id="a file"),
        pytest.param('{ redirect = "/x" }', id="a redirect"),
        pytest.param('{ proxy = "http://127.0.0.1:1" }', id="a proxy"),
        pytest.param('{ fleet = "blog" }', id="a fleet"),
    ],
)
def test_any_kind_of_mount_may_be_in_a_group(write_config, tmp_path, mount):
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog" / "one.py").write_text("def app(environ, start_response): ...")
    (tmp_path / "shop.py").touch()
    entry = mount.replace(" }", ', group = "blog" }')
    config = load_config(write_config(f'[mounts]\n"/x" = {entry}\n[groups.blog]'))
    assert {each.group for each in config.mounts} == {"blog"}


@pytest.mark.parametrize(
    ("written", "size"),
    [
        pytest.param('"512M"', 512 * 1024**2, id="megabytes"),
        pytest.param('"2g"', 2 * 1024**3, id="in small letters"),
        pytest.param('"100000KB"', 100_000 * 1024, id="with a B"),
        pytest.param("536870912", 512 * 1024**2, id="bytes"),
        pytest.param('"536870912"', 512 * 1024**2, id="bytes as a text"),
        pytest.param("0", 0, id="no bound"),
    ],
)
def test_an_amount_of_memory_may_have_a_unit(write_config, written, size):
    config = load_config(write_config(f"{BLOG}[groups.blog]\nmax_memory = {written}"))
    assert config.groups["blog"].max_memory == size


def test_in_pyproject_the_table_has_its_whole_name(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[tool.multiserve.mounts]\n"/" = { app = "a:app", group = "blog" }\n"/b" = { app = "a:app", group = "wiki" }\n'
        "[tool.multiserve.groups.blog]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert [str(each) for each in caught.value.problems] == [
        'tool.multiserve.mounts."/b".group: there is no group "wiki"\n    Known here: blog.'
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(
            BLOG,
            ['mounts."/blog".group: there is no group "blog"\n    Write the table [groups.blog]; it may be empty.'],
            id="a group without a table",
        ),
        pytest.param(
            f'{BLOG}"/x" = {{ app = "x:app", group = "blogs" }}\n[groups.blog]',
            ['mounts."/x".group: there is no group "blogs"\n    Did you mean "blog"?'],
            id="a slip in the name",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\n[groups.wiki]",
            [
                (
                    "groups.wiki: no mount is in this group\n"
                    '    Write group = "wiki" on each of its mounts, such as { app = "module:app", group = "wiki" }.'
                )
            ],
            id="a table without mounts",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\n[groups.Blog]",
            ["groups.Blog: another spelling of groups.blog\n    Keep one of the two."],
            id="two spellings",
        ),
        pytest.param(
            f'{BLOG}"/x" = {{ app = "x:app", group = "a/b" }}\n[groups.blog]\n[groups."a/b"]',
            ['groups."a/b": this is no name for a group\n    Use letters, digits, - and _, at most 40 of them.'],
            id="a name that is none",
        ),
        pytest.param(
            f"{BLOG}[groups]\nblog = '.venv'",
            ["groups.blog: expected a table, found a text\n    Write [groups.blog]."],
            id="a text for a group",
        ),
        pytest.param(
            f'{BLOG}"/x" = {{ app = "x:app", group = 1 }}\n[groups.blog]',
            ['mounts."/x".group: expected a text, found a whole number\n    Put the value in quotes.'],
            id="a number for a name",
        ),
        pytest.param(
            '[mounts]\n"/" = { app = "a:app", python = ".venv", env = { X = "1" }, directory = "x", workers = 2 }',
            [
                f'mounts."/".{name}: this belongs to a process, not to a mount\n'
                '    Write it under [groups.NAME], and group = "NAME" here.'
                for name in ("directory", "env", "python", "workers")
            ],
            id="what belongs to a process on a mount without a group",
        ),
        pytest.param(
            '[mounts]\n"/" = { app = "a:app", group = "blog", python = ".venv" }\n[groups.blog]',
            ['mounts."/".python: this belongs to a process, not to a mount\n    Write it under [groups.blog].'],
            id="and on one with a group",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\npyton = '.venv'",
            ['groups.blog.pyton: no such key\n    Did you mean "python"?'],
            id="an unknown key",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\npython = 3.12",
            ["groups.blog.python: expected a text, found a number with a fraction\n    Put the value in quotes."],
            id="a version for an interpreter",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\nworkers = 0",
            ["groups.blog.workers: 0 is out of range\n    Write a number from 1 to 1000."],
            id="no worker",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\nmax_memory = '512 MiB'",
            [f"groups.blog.max_memory: '512 MiB' is not an amount of memory\n    {MEMORY}"],
            id="another unit",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\nmax_memory = true",
            [f"groups.blog.max_memory: True is not an amount of memory\n    {MEMORY}"],
            id="true for an amount",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\nmax_memory = 512",
            [f"groups.blog.max_memory: 512 is less than a process takes\n    {MEMORY}"],
            id="a unit that is missing",
        ),
        pytest.param(
            f"{BLOG}[groups.blog]\nenv = {{ A = 1, 'b=c' = 'x' }}",
            [
                "groups.blog.env.A: expected a text, found a whole number\n    Put the value in quotes.",
                'groups.blog.env."b=c": not the name of an environment variable',
            ],
            id="variables",
        ),
        pytest.param(
            f"{BLOG}[groups.blog.gunicorn]\nbind = 'x'\nchdir = 'x'\nuser = 'x'\nworkers = 2\n"
            "pidfile = 'x'\ncertfile = 'x'",
            [
                (
                    "groups.blog.gunicorn.bind: this is no setting of a group\n"
                    "    The group listens on a socket that multiserve makes."
                ),
                (
                    "groups.blog.gunicorn.certfile: this is no setting of a group\n"
                    "    Write it under [gunicorn]: clients speak to that process."
                ),
                (
                    "groups.blog.gunicorn.pidfile: this is no setting of a group\n"
                    "    Write it under [gunicorn]: the group runs and ends with that process."
                ),
                (
                    "groups.blog.gunicorn.chdir: this is no setting of a group\n"
                    "    Write directory in the table of the group."
                ),
                "groups.blog.gunicorn.user: this is no setting of a group\n    Write user in the table of the group.",
                (
                    "groups.blog.gunicorn.workers: this is no setting of a group\n"
                    "    Write workers in the table of the group."
                ),
            ],
            id="settings of gunicorn that are not those of a group",
        ),
    ],
)
def test_mistakes_are_told(write_config, text, problems):
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(text))
    assert [str(each) for each in caught.value.problems] == problems


@pytest.mark.parametrize("name", ["directory", "pythonpath"])
def test_folders_have_to_be_there(write_config, tmp_path, name):
    value = '"nowhere"' if name == "directory" else '["nowhere"]'
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(f"{BLOG}[groups.blog]\n{name} = {value}"))
    assert [str(each) for each in caught.value.problems] == [
        (
            f"groups.blog.{name}: no such folder: {tmp_path / 'nowhere'}\n"
            "    Paths are relative to the folder of this file."
        )
    ]
