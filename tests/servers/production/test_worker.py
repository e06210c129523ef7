"""The worker, as far as no request is needed; tests/end_to_end/ has the rest."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from multiserve.servers.production.worker import Worker


@pytest.fixture
def reopening(tmp_path):
    """Make a worker with log files at two places, and note what it does with them."""
    done = []
    log = SimpleNamespace(
        reopen_files=lambda: done.append("reopened"), warning=lambda text, error: done.append(text % error)
    )

    def reopen(errorlog, accesslog):
        worker = Worker.__new__(Worker)
        worker.log, worker.cfg = log, SimpleNamespace(errorlog=errorlog, accesslog=accesslog)
        worker.reopen_logs()
        return done

    return reopen


@pytest.mark.parametrize("accesslog", [None, "-"], ids=["no access log", "the terminal"])
def test_a_rotated_log_is_reopened(reopening, tmp_path, accesslog):
    assert reopening(str(tmp_path / "error.log"), accesslog) == ["reopened"]


def test_a_worker_that_may_not_open_its_log_goes_on_with_the_old_file(reopening, tmp_path):
    gone = tmp_path / "gone" / "access.log"  # a folder that is not there: root may open every other file
    why = f"[Errno 2] No such file or directory: '{gone}'"
    assert reopening("-", str(gone)) == [f"This worker cannot reopen its log, and writes on to the old file: {why}"]
