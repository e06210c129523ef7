"""The process of a group: what it refuses, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from multiserve.errors import ConfigError
from multiserve.survey.process import EndedError, GroupProcess

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def start(grouped):
    """Start the process of the group "blog"."""
    started = []

    def start(mounts, more="", **options):
        config = grouped(mounts, more)
        process = GroupProcess(config, config.groups["blog"], dict(os.environ), production=False, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.end()


def test_what_is_wrong_there_alone_is_a_mistake_in_the_configuration(start, tmp_path):
    (tmp_path / "extra.py").write_text("import no_such_package")
    process = start({"/a": ("blog", "blog")}, "")
    text = (tmp_path / "multiserve.toml").read_text()
    (tmp_path / "multiserve.toml").write_text(f"plugins = ['extra']\n{text}")
    with pytest.raises(ConfigError) as caught:
        process.report(nullcontext, checks=True)
    [problem] = caught.value.problems
    assert problem.key == "plugins"
    assert problem.message.startswith('importing "extra" failed: ModuleNotFoundError')
    assert problem.message.endswith(', in the process of the group "blog"')
    assert caught.value.source == str(tmp_path / "multiserve.toml")


def test_settings_of_gunicorn_are_checked_there_where_it_has_an_interpreter(start):
    more = f'[groups.blog]\npython = "{sys.executable}"\ngunicorn = {{ tiemout = 3 }}'
    process = start({"/a": ("blog", "blog")}, more)
    with pytest.raises(ConfigError) as caught:
        process.report(nullcontext, checks=True)
    assert [(each.key, each.message) for each in caught.value.problems] == [
        ("groups.blog.gunicorn.tiemout", "gunicorn has no such setting")
    ]


def test_one_that_ends_later_says_how(start, tmp_path):
    process = start({"/a": ("tells", "blog")})
    process.report(nullcontext, checks=False)
    os.kill(int((tmp_path / "tells.py.pid").read_text()), signal.SIGKILL)
    with pytest.raises(EndedError) as caught:
        process.call("find", mount="/a", request={"path": "/"})
    assert str(caught.value) == "was ended by SIGKILL"


def test_what_it_has_forked_does_not_hide_its_end(start, tmp_path):
    (tmp_path / "forks.py").write_text("import os, time\nos._exit(3) if os.fork() else time.sleep(600)\n")
    process = start({"/a": ("forks", "blog")})
    began = time.monotonic()
    with pytest.raises(EndedError) as caught:
        process.report(nullcontext, checks=False)
    assert str(caught.value) == "has ended with exit code 3"
    assert time.monotonic() - began < 30


def test_it_ends_with_whoever_has_started_it(start, tmp_path):
    (tmp_path / "stays.py").write_text(
        "import os, threading, time\nopen('pid', 'w').write(str(os.getpid()))\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "def app(environ, start_response): ...\n"
    )
    process = start({"/a": ("stays", "blog")})
    process.report(nullcontext, checks=False)
    began = time.monotonic()
    process.end()
    assert time.monotonic() - began < 4
    assert not Path("/proc", (tmp_path / "pid").read_text()).exists()
