from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.reports.file_lines import FileLines, Place, lines_of, place_named_by

TEXT = 'ignore = []\n[mounts]\n"/" = "shop:app"\n"/a.b" = { app = "blog:app" }\n[server]\nport = 0\n'


@pytest.mark.parametrize(
    ("key", "line"),
    [
        pytest.param("ignore", 1, id="at the top"),
        pytest.param('mounts."/a.b".app', 4, id="inside a value"),
        pytest.param("server.port", 6, id="in a table"),
        pytest.param("server.host", 5, id="what the table has not"),
        pytest.param("gunicorn", 1, id="nowhere"),
    ],
)
def test_the_line_of_a_key_is_found(write_config, key, line):
    path = write_config(TEXT)
    assert lines_of(load_config(path)).place_of(key) == Place(str(path), line)


def test_a_key_may_name_another_file_or_a_place():
    lines = FileLines("", {"fleet one": "/site/one.py"})
    assert lines.place_of("fleet one") == Place("/site/one.py", 1)
    assert lines.place_of("x.toml:3:4") == place_named_by("x.toml:3:4") == Place("x.toml", 3)
    assert lines.place_of("mounts") == Place("", 1)
    assert place_named_by("mounts") is None
