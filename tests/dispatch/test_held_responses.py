"""Responses that hold something until the server closes them."""

from __future__ import annotations

import threading
from wsgiref.util import FileWrapper

import pytest

from multiserve.dispatch.held_responses import Once, hold


def test_once_is_once_however_many_threads_ask():
    done = []
    once = Once(lambda: done.append(1))
    threads = [threading.Thread(target=once) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [1]


class Response:
    """A response that notes when it is closed, and may fail at that."""

    def __init__(self, log, error=None):
        self.log = log
        self.error = error

    def __iter__(self):
        yield b"body"

    def close(self):
        self.log.append("closed")
        if self.error:
            raise self.error


def test_a_response_ends_when_it_is_closed():
    log = []
    held = hold(Response(log), {}, Once(lambda: log.append("ended")))
    assert list(held) == [b"body"]
    assert log == []
    held.close()
    held.close()
    assert log == ["closed", "ended", "closed"]


def test_a_response_whose_close_fails_ends_all_the_same():
    log = []
    held = hold(Response(log, ValueError("no")), {}, Once(lambda: log.append("ended")))
    with pytest.raises(ValueError, match="no"):
        held.close()
    assert log == ["closed", "ended"]


def test_a_response_that_nobody_closes_ends_with_the_last_reference_to_it():
    log = []
    held = hold([b"body"], {}, Once(lambda: log.append("ended")))
    del held
    assert log == ["ended"]


def test_a_file_stays_what_the_server_knows(tmp_path):
    log = []
    path = tmp_path / "file.txt"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        response = FileWrapper(file)
        held = hold(response, {"wsgi.file_wrapper": FileWrapper}, Once(lambda: log.append("ended")))
        assert held is response
        held.close()
        assert log == ["ended"]
        assert file.closed
