"""What a master in front answers when it is asked what a reload would change."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from gunicorn.config import Config as GunicornConfig
from jsonschema import Draft7Validator

from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.reports.schemas import output_schema
from multiserve.servers.production.groups.plan import overridden, tell_plan

ROOT = '[mounts]\n"/" = "shop:app"\n'
SCHEMA = Draft7Validator(output_schema("plan"))


class Application:
    """A configuration that is served, with a variable that it has set."""

    def __init__(self, config, overrides=()):
        self.config = config
        self.overrides = dict(overrides)

    def enter_environment(self):
        os.environ.update(self.config.env)

    def leave_environment(self):
        for name in self.config.env:
            os.environ.pop(name, None)


class Groups:
    """Groups that foresee what they are given."""

    def __init__(self, read, processes):
        self.reading = SimpleNamespace(read=read, values={"port": None, "only": ()})
        self.timeouts = []
        self._processes = processes

    def foresee(self, _, graceful_timeout):
        self.timeouts.append(graceful_timeout)
        return self._processes


@pytest.fixture
def master(write_config, monkeypatch):
    """Return a master that serves the one file, when the other one is there already."""
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("PLAN_KEY", raising=False)

    def master(before, after, processes=(), overrides=()):
        path = write_config(before)
        application = Application(load_config(path), overrides)
        application.enter_environment()
        path.write_text(after)
        return SimpleNamespace(
            app=application, cfg=GunicornConfig(), groups=Groups(lambda: load_config(path), dict(processes))
        )

    return master


def ask(master):
    kind, answer = tell_plan(master)()
    assert kind == "done"
    return answer


def plan(master):
    found = ask(master)["plan"]
    assert [each.message for each in SCHEMA.iter_errors(found)] == []
    return found


def test_nothing_that_would_change(master):
    found = plan(master(ROOT, ROOT, {"blog": "reloaded"}))
    assert found == {
        "is_changed": False,
        "mounts": [],
        "groups": [{"name": "blog", "process": "reloaded", "values": []}],
        "settings": [],
        "code": "loaded",
    }


def test_what_would_change(master):
    found = plan(master(ROOT, f'{ROOT}"/a" = "a:app"\n[server]\nport = 1\n', {"blog": "ended"}))
    added = {"change": "added", "group_before": None, "group": "", "values": []}
    assert found["mounts"] == [{"mount": "/a", "target": "a:app", **added}]
    assert found["settings"] == [
        {"key": "server.port", "change": "added", "before": None, "after": 1, "effect": "reload"}
    ]
    assert found["is_changed"]


def test_another_process_alone_is_a_change(master):
    assert plan(master(ROOT, ROOT, {"blog": "replaced"}))["is_changed"]


@pytest.mark.parametrize(
    ("settings", "overrides", "expected"),
    [("", {}, "loaded"), ("preload_app = true", {}, "kept"), ("preload_app = true", {"preload_app": False}, "loaded")],
    ids=["by default", "in the file", "over the file"],
)
def test_whether_code_is_loaded_anew(master, settings, overrides, expected):
    file = f"{ROOT}[gunicorn]\n{settings}\n"
    assert plan(master(file, file, overrides=overrides))["code"] == expected


@pytest.mark.parametrize(
    ("settings", "overrides", "expected"),
    [("", {}, 30), ("graceful_timeout = 7", {}, 7), ("graceful_timeout = 7", {"graceful_timeout": 8}, 8)],
    ids=["by default", "in the file", "over the file"],
)
def test_the_setting_that_groups_are_told(master, settings, overrides, expected):
    asked = master(ROOT, f"{ROOT}[gunicorn]\n{settings}\n", overrides=overrides)
    plan(asked)
    assert asked.groups.timeouts == [expected]


def test_a_wrong_file_is_told_with_its_mistakes(master, tmp_path):
    asked = master(f'{ROOT}[env]\nPLAN_KEY = "x"\n', '[mounts]\n"/" = 1\n')
    with pytest.raises(ConfigError) as expected:
        load_config(tmp_path / "multiserve.toml")
    [problem] = expected.value.problems
    assert ask(asked) == {
        "wrong": {
            "source": str(tmp_path / "multiserve.toml"),
            "problems": [{"key": problem.key, "message": problem.message, "hint": problem.hint, "excerpt": ""}],
        }
    }
    assert os.environ["PLAN_KEY"] == "x"
    asked.app.leave_environment()


def test_variables_of_the_file_are_set_aside_while_it_is_read(master):
    asked = master(f'{ROOT}[env]\nPLAN_KEY = "secret"\n', f'{ROOT}[env]\nPLAN_KEY = "other"\n')
    [setting] = plan(asked)["settings"]
    assert setting == {"key": "env.PLAN_KEY", "change": "changed", "before": None, "after": None, "effect": "reload"}
    assert os.environ["PLAN_KEY"] == "secret"
    asked.app.leave_environment()


def test_what_json_has_no_word_for_is_told_as_text(master):
    found = plan(master(ROOT, f"{ROOT}[gunicorn]\nproc_name = 2020-01-01\n"))
    assert found["settings"][0]["after"] == "2020-01-01"


@pytest.mark.parametrize(
    ("options", "overrides", "environ", "expected"),
    [
        ({"port": None, "extra_files": ()}, {}, {}, set()),
        ({"port": 1}, {}, {}, {"server.port", "gunicorn.bind"}),
        ({"strict": False}, {"workers": 2}, {}, {"server.strict", "gunicorn.workers"}),
        ({}, {}, {"KEY": "x", "A.B": "y"}, {"env.KEY", 'env."A.B"'}),
        ({}, {}, {"PORT": "80"}, {"env.PORT", "server.port"}),
    ],
    ids=["nothing", "a port", "settings", "variables", "the port of a platform"],
)
def test_what_counts_before_the_file(monkeypatch, options, overrides, environ, expected):
    monkeypatch.setattr(os, "environ", dict(environ))
    assert overridden(options, overrides, environ) == expected
