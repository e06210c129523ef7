"""How a group is started, and what makes it another one."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.servers.development.groups.start import start_of

FILE = """\
[mounts]
"/" = "a:b"
"/old" = { app = "old:app", group = "old" }
"/fleet" = { fleet = "fleet", group = "old" }
"/new" = { app = "new:app", group = "new" }
[groups.old]
max_open_files = 100
[groups.new]
[env]
"""


@pytest.fixture
def start(write_config, tmp_path):
    (tmp_path / "fleet").mkdir(exist_ok=True)

    def start(text=FILE):
        config = load_config(write_config(text))
        return start_of(config, config.groups["old"], {"A": "b"}, {"reading": {}})

    return start


def test_the_process_is_told_what_it_is(start, tmp_path):
    started = start()
    assert started.order == {"reading": {}, "group": "old", "directory": str(tmp_path), "files": 100}
    assert started.environ == {"A": "b"}
    assert [mount.name for mount in started.config.mounts] == ["/old", "/fleet"]
    assert start(FILE.replace("max", 'directory = "fleet"\nmax')).order["directory"] == str(tmp_path / "fleet")


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        pytest.param("", "", True, id="nothing"),
        pytest.param('"a:b"', '"c:d"', True, id="a mount of another process"),
        pytest.param('"/" = "a:b"\n', "", True, id="one that goes"),
        pytest.param("[groups.new]", "[groups.new]\nworkers = 2", True, id="another group"),
        pytest.param("max_open_files = 100", "max_open_files = 99", False, id="a setting of the group"),
        pytest.param('"old:app"', '"old:other"', False, id="a mount of the group"),
        pytest.param("[env]", '[env]\nA = "c"', False, id="a variable of all"),
    ],
)
def test_only_what_concerns_the_group_makes_it_another_one(start, old, new, is_same):
    assert (start() == start(FILE.replace(old, new, 1))) is is_same


def test_an_application_that_comes_into_a_fleet_makes_no_other_group(start, tmp_path):
    before = start()
    (tmp_path / "fleet" / "a.py").write_text("def application(environ, start_response): ...\n")
    after = start()
    assert after == before
    assert [mount.name for mount in after.config.mounts] == ["/old", "/fleet", "/fleet/a"]
