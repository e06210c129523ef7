"""The configuration of each process."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.config.mounts import GroupedMount
from multiserve.config.processes import for_front, for_group, for_group_alone, isolated
from multiserve.errors import ConfigError

TEXT = """
pythonpath = ["more"]
middleware = ["around:Each"]
[mounts]
"/" = "shop:app"
"/blog" = { app = "blog:app", group = "blog", required = true }
"/news" = { app = "news:app", group = "blog" }
"/wiki" = { app = "wiki:app", group = "wiki" }
"/files" = { static = "more" }
[server]
trusted_proxies = 1
middleware = ["around:All"]
[env]
A = "of all"
B = "of all"
[gunicorn]
timeout = 7
keepalive = 9
bind = "127.0.0.1:1"
workers = 8
[groups.blog]
pythonpath = ["blog"]
workers = 2
env = { B = "of the blog" }
gunicorn = { timeout = 3, max_requests = 5 }
[groups.wiki]
"""


@pytest.fixture
def config(write_config, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "blog").mkdir()
    return load_config(write_config(TEXT))


def names(mounts):
    return [mount.name for mount in mounts]


def test_in_front_the_mounts_of_groups_are_handed_on(config):
    front = for_front(config, {"blog": "/run/1.sock", "wiki": "/run/2.sock"})
    assert names(front.mounts) == names(config.mounts)
    handed_on = {mount.name: mount for mount in front.mounts if isinstance(mount, GroupedMount)}
    assert {name: (mount.group, mount.socket) for name, mount in handed_on.items()} == {
        "/blog": ("blog", "/run/1.sock"),
        "/news": ("blog", "/run/1.sock"),
        "/wiki": ("wiki", "/run/2.sock"),
    }
    assert handed_on["/blog"].mount is config.mounts[1]
    assert (handed_on["/blog"].required, handed_on["/news"].required) == (True, False)
    assert handed_on["/blog"].what == "blog:app"
    assert handed_on["/blog"].toml_key == 'mounts."/blog"'
    assert [mount for mount in front.mounts if not mount.group] == [config.mounts[0], config.mounts[4]]


def test_a_group_has_its_own_mounts_and_knows_all_others(config):
    group = for_group(config, config.groups["blog"])
    assert group.group == "blog"
    assert names(group.mounts) == ["/blog", "/news"]
    assert names(group.elsewhere) == ["/", "/wiki", "/files"]


def test_what_a_group_says_counts_before_what_is_for_all(config, tmp_path):
    group = for_group(config, config.groups["blog"])
    assert group.env == {"A": "of all", "B": "of the blog"}
    assert group.pythonpath == (tmp_path / "blog", tmp_path, tmp_path / "more")
    heads = {"limit_request_field_size": 0}  # the process in front has bounded what clients send
    assert group.gunicorn == {**heads, "timeout": 3, "keepalive": 9, "max_requests": 5, "workers": 2}
    assert for_group(config, config.groups["wiki"]).gunicorn == {**heads, "timeout": 7, "keepalive": 9, "workers": 1}


def test_what_concerns_clients_is_left_to_the_process_in_front(config):
    group = for_group(config, config.groups["blog"])
    assert (group.server.trusted_proxies, group.server.middleware) == (0, ())
    assert [target.text for target in group.middleware] == ["around:Each"]


def test_each_mount_that_loads_code_can_be_in_a_group_of_its_own(config):
    alone = isolated(config)
    assert {mount.name: mount.group for mount in alone.mounts} == {
        "/": "/",
        "/blog": "blog",
        "/news": "blog",
        "/wiki": "wiki",
        "/files": "",
    }
    assert set(alone.groups) == {"/", "blog", "wiki"}
    assert alone.groups["/"].toml_key == 'mounts."/"'


def test_a_group_by_itself_serves_clients_as_the_file_says(config, tmp_path):
    alone = for_group_alone(config, "blog")
    assert names(alone.mounts) == ["/blog", "/news"]
    assert names(alone.elsewhere) == ["/", "/wiki", "/files"]
    assert {mount.group for mount in alone.mounts} == {""}
    assert (alone.group, dict(alone.groups)) == ("", {})
    assert alone.server == config.server
    assert alone.env == {"A": "of all", "B": "of the blog"}
    assert alone.pythonpath[0] == tmp_path / "blog"
    assert alone.gunicorn == {
        "timeout": 3,
        "keepalive": 9,
        "bind": "127.0.0.1:1",
        "workers": 2,
        "max_requests": 5,
        "chdir": str(tmp_path),
    }


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param(TEXT, "The groups are blog, wiki.", id="another name"),
        pytest.param('[mounts]\n"/" = "a:app"', "The file has no groups.", id="no groups"),
    ],
)
def test_a_group_that_is_not_there(config, write_config, text, hint):
    with pytest.raises(ConfigError) as caught:
        for_group_alone(load_config(write_config(text)), "shop")
    assert str(caught.value) == f'--only-group: there is no group "shop"\n    {hint}'
