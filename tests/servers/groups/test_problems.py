"""What keeps the process of a group from being started."""

from __future__ import annotations

import os
import pwd

import pytest

from multiserve.config.file import load_config
from multiserve.interpreters.interpreter import InterpreterError
from multiserve.servers.groups import interpreters
from multiserve.servers.groups.problems import problems_of_groups

TEXT = '[mounts]\n"/" = {{ app = "a:app", group = "blog" }}\n[groups.blog]\n{}'
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def found(write_config):
    return lambda more="": [str(each) for each in problems_of_groups(load_config(write_config(TEXT.format(more))))]


def test_our_own_interpreter_and_user_will_do(found):
    assert found() == found(f'user = "{ME}"') == []


def test_a_wrong_interpreter_is_told_at_its_key(found, monkeypatch):
    def refuse(_):
        error = InterpreterError("it is too old")
        error.hint = "Take a newer one."
        raise error

    monkeypatch.setattr(interpreters, "find_interpreter", refuse)
    assert found() == ["groups.blog.python: it is too old\n    Take a newer one."]


def test_a_user_has_to_be_there(found):
    assert found('user = "nobody-of-this-name"') == [
        'groups.blog.user: there is no user "nobody-of-this-name"\n    Write the name of a user of this machine.'
    ]


def test_only_root_starts_processes_of_others(found, monkeypatch):
    other = next(each.pw_name for each in pwd.getpwall() if each.pw_uid not in (0, os.geteuid()))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert found(f'user = "{other}"') == [
        (
            f'groups.blog.user: only root can start a process as "{other}"\n'
            "    Start multiserve as root, or leave user out."
        )
    ]
