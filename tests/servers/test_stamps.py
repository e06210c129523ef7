"""By what a change of a file is noticed."""

from __future__ import annotations

import os

from multiserve.servers.stamps import stamp_of, stamps_of


def test_a_stamp_has_time_and_size(tmp_path):
    path = tmp_path / "a.py"
    assert stamp_of(str(path)) is None
    path.write_text("abc")
    os.utime(path, (5, 5))
    assert stamp_of(str(path)) == (5_000_000_000, 3)


def test_what_is_no_path_has_none():
    assert stamps_of(["a\0b"]) == {"a\0b": None}
