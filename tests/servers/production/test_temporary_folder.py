from __future__ import annotations

import tempfile

import pytest

pytest.importorskip("gunicorn.sock", reason="gunicorn does not run on Windows")

from gunicorn.config import Config

from multiserve.errors import ServeError
from multiserve.servers.production.temporary_folder import check_temporary_folder


def test_without_a_folder_for_temporary_files_the_start_ends_with_a_sentence(monkeypatch, tmp_path):
    check_temporary_folder(Config())
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", list)
    with pytest.raises(ServeError) as raised:
        check_temporary_folder(Config())
    assert str(raised.value) == (
        "gunicorn finds no folder for temporary files\n"
        '    Write worker_tmp_dir = "/dev/shm" under [gunicorn], or name a writable folder in TMPDIR.'
    )
    named = Config()
    named.set("worker_tmp_dir", str(tmp_path))
    check_temporary_folder(named)
