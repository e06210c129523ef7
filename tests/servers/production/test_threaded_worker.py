"""What the threaded worker makes of errors while it accepts; the worker itself runs in tests/end_to_end."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from multiserve.servers.production import threaded_worker
from multiserve.servers.production.threaded_worker import Worker


class Log:
    """Keeps what is logged."""

    def __init__(self):
        self.lines = []

    def error(self, text, *args):
        self.lines.append(f"error: {text % args}")

    def warning(self, text, *args):
        self.lines.append(f"warning: {text % args}")


class Listener:
    """A socket that accepts nothing, for one reason after the other."""

    def __init__(self, codes):
        self.codes = list(codes)

    def accept(self):
        code = self.codes.pop(0)
        raise OSError(code, os.strerror(code))


@pytest.fixture
def worker(monkeypatch):
    """A worker that is ready to accept, without its loop."""
    monkeypatch.setattr(threaded_worker.ThreadWorker, "init_process", lambda _: None)
    app = SimpleNamespace(config=SimpleNamespace(server=SimpleNamespace(client_timeout=1)))
    with socket.create_server(("127.0.0.1", 0)) as listener, selectors.DefaultSelector() as poller:
        made = Worker(0, os.getpid(), [listener], app, 30, Config(), Log())
        made.poller = poller
        made.init_process()
        made.set_accept_enabled(True)
        yield made
        made.tmp.close()


@pytest.mark.parametrize("code", [errno.EPROTO, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EPERM, errno.EOPNOTSUPP])
def test_an_error_of_one_connection_is_told_and_the_worker_goes_on(worker, code):
    worker.accept(Listener([code]))
    assert worker.log.lines == [f"warning: Cannot accept a connection: [Errno {code}] {os.strerror(code)}"]
    assert worker._accepting  # noqa: SLF001 (gunicorn's own)


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ECONNABORTED])
def test_a_connection_that_is_not_there_any_more_is_not_worth_a_word(worker, code):
    worker.accept(Listener([code]))
    assert worker.log.lines == []


@pytest.mark.parametrize("code", [errno.EBADF, errno.EINVAL, errno.ENOTSOCK])
def test_an_error_of_the_socket_itself_ends_the_worker(worker, code):
    with pytest.raises(OSError, match=os.strerror(code)):
        worker.accept(Listener([code]))


def test_without_file_descriptors_nothing_is_accepted_for_a_second(worker, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(threaded_worker, "time", SimpleNamespace(monotonic=lambda: now))
    for _ in range(2):
        worker.accept(Listener([errno.EMFILE]))
        for _ in range(10):  # as often as the loop turns
            worker.set_accept_enabled(True)
            assert not worker._accepting  # noqa: SLF001 (gunicorn's own)
        now += 1.0
        worker.set_accept_enabled(True)
        assert worker._accepting  # noqa: SLF001 (gunicorn's own)
    assert worker.log.lines == ["error: Cannot accept more connections: [Errno 24] Too many open files"] * 2
