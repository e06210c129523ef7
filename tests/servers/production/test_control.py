"""Asking a running server over its socket."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest

from multiserve.errors import ConfigError, Problem, ServeError
from multiserve.servers.production.control import Control, ask


class Asked:
    """A server in this process, which looks at its socket until it is told to end."""

    def __init__(self, commands):
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.path = Path(self.folder.name) / "control.sock"
        self.control = Control(self.path, commands)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._ending.wait(0.01):
            self.control.look()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()
        self.control.close()
        self.folder.cleanup()


@pytest.fixture(autouse=True)
def no_signals(monkeypatch):
    """Note the signals that would wake a server."""
    sent = []
    monkeypatch.setattr(os, "kill", lambda *args: sent.append(args))
    return sent


def test_a_question_is_answered(no_signals):
    with Asked({"status": lambda: lambda: ("done", {"workers": [1, 2]})}) as server:
        assert ask(server.path, 42, "status") == {"workers": [1, 2]}
        assert not server.control.is_awaited
    assert no_signals == [(42, signal.SIGCHLD)]


def test_an_answer_may_take_its_time_and_others_are_answered_meanwhile():
    known = threading.Event()
    commands = {
        "restart": lambda name: lambda: ("done", name) if known.is_set() else None,
        "status": lambda: lambda: ("done", "fine"),
    }
    with Asked(commands) as server:
        answers = []
        asking = threading.Thread(target=lambda: answers.append(ask(server.path, 1, "restart", "legacy")))
        asking.start()
        while not server.control.is_awaited:
            pass
        assert ask(server.path, 1, "status") == "fine"
        assert answers == []
        known.set()
        asking.join()
        assert answers == ["legacy"]


def refuse(*_):
    raise ServeError("there is no such group")


def refuse_file(*_):
    raise ConfigError(Problem(key="groups", message='there is no group "x" any more'))


REFUSED = [
    pytest.param(["restart", "x"], "there is no such group", id="what the server refuses"),
    pytest.param(["reload", "x"], 'groups: there is no group "x" any more', id="a mistake in the file"),
    pytest.param(["later"], "it stays as it was", id="what comes to nothing"),
    pytest.param(["dance"], "this is no question: 'dance'", id="an unknown word"),
]


@pytest.mark.parametrize(("question", "reason"), REFUSED)
def test_a_refusal_is_an_error(question, reason):
    commands = {"restart": refuse, "reload": refuse_file, "later": lambda: lambda: ("refused", "it stays as it was")}
    with Asked(commands) as server, pytest.raises(ServeError) as caught:
        ask(server.path, 1, *question)
    assert str(caught.value) == reason


def test_who_leaves_without_waiting_for_the_answer_does_no_harm():
    with Asked({"status": lambda: lambda: ("done", "fine")}) as server:
        for text in (b'["status"]\n', b"nonsense\n", b"{}\n", b""):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(server.path))
                client.sendall(text)
        assert ask(server.path, 1, "status") == "fine"


def test_a_server_that_is_gone_does_not_answer(tmp_path):
    with pytest.raises(ServeError, match=r"^process 7 does not answer: "):
        ask(tmp_path / "none", 7, "status")


def test_clients_that_say_nothing_keep_nobody_waiting():
    with Asked({"status": lambda: lambda: ("done", "fine")}) as server:
        silent = [socket.socket(socket.AF_UNIX) for _ in range(5)]
        for client in silent:
            client.connect(str(server.path))
        began = time.monotonic()
        assert ask(server.path, 1, "status") == "fine"
        assert time.monotonic() - began < 0.9  # a client has a second to ask
        for client in silent:
            client.close()


def test_whatever_goes_wrong_the_server_goes_on():
    def fail():
        raise ArithmeticError("of ours")

    with Asked({"fail": fail, "later": lambda: fail, "status": lambda: lambda: ("done", "fine")}) as server:
        for question in ("fail", "later"):
            with pytest.raises(ServeError, match=r"of ours$"):
                ask(server.path, 1, question)
        assert ask(server.path, 1, "status") == "fine"
