from __future__ import annotations

import pytest

from multiserve.checks import TOPICS, find_needless
from multiserve.config.file import load_config
from multiserve.inspection import inspect

FILE = """
ignore = [{}]
[mounts]
"/" = {{ redirect = "/gone", ignore = [{}] }}
"/x" = {{ redirect = "https://example.com" }}
"""
SAID = "{} is ignored, and there is no such finding"


@pytest.mark.parametrize(
    ("top", "mount", "options", "found"),
    [
        pytest.param("MS106", "", {}, [], id="what is needed"),
        pytest.param("", "MS106", {}, [], id="what is needed on the mount"),
        pytest.param("MS102", "", {}, [((), "ignore", SAID.format("MS102"))], id="what is not"),
        pytest.param("", "MS102", {}, [(("/",), 'mounts."/".ignore', SAID.format("MS102"))], id="nor on the mount"),
        pytest.param("MS201", "", {}, [], id="what only a probe looks for"),
        pytest.param("MS201", "", {"probed": True}, [((), "ignore", SAID.format("MS201"))], id="and a probe has"),
        pytest.param("MS150", "", {}, [], id="what only production looks for"),
        pytest.param("MS150", "", {"production": True}, [((), "ignore", SAID.format("MS150"))], id="and it has"),
        pytest.param("MS156", "", {}, [], id="what else only production looks for"),
        pytest.param("MS173", "", {"production": True}, [((), "ignore", SAID.format("MS173"))], id="and it has, too"),
        pytest.param("MS181", "", {"production": True}, [], id="what depends on what runs the mounts"),
        pytest.param("MS151", "", {"production": True}, [], id="what only development looks for"),
        pytest.param("MS164", "", {}, [], id="what depends on the machine"),
        pytest.param("XY100", "", {}, [], id="what is unknown, and told by another check"),
    ],
)
def test_what_nothing_needs_is_told_where_it_was_looked_for(write_config, top, mount, options, found):
    quoted = [f'"{code}"' if code else "" for code in (top, mount)]
    config = load_config(write_config(FILE.format(*quoted)))
    there = [TOPICS["MS106"].finding(mounts=("/",), key="", message="", cure="")]
    needless = find_needless(there, config, list(TOPICS), **{"production": False, "probed": False, **options})
    assert [(each.mounts, each.key, each.message) for each in needless] == found


@pytest.mark.usefixtures("kept_process")
def test_it_is_told_of_the_whole_file_and_gone_with_the_code(write_config):
    config = load_config(write_config(FILE.format('"MS102"', '"MS105"')))
    assert [(each.code, each.severity, each.cure) for each in inspect(config).findings] == [
        ("MS117", "note", 'Remove "MS102" from ignore.')
    ]
    assert inspect(config, mounts=[*config.mounts, *config.mounts]).findings == []
    assert inspect(load_config(write_config(FILE.format("", '"MS105"')))).findings == []
