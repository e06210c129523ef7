"""The line between a process and one that it has started."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from multiserve.servers.groups import line
from multiserve.servers.groups.line import Line


@pytest.fixture
def ends():
    pair = [Line(each) for each in socket.socketpair()]
    yield pair
    for each in pair:
        each.close()


def test_messages_come_in_their_order_and_none_is_waited_for(ends):
    one, other = ends
    assert list(other.hear()) == []
    one.tell("ready", {"/": "no database"})
    one.tell("workers", [1, 2])
    one.tell("go")
    assert list(other.hear()) == [("ready", {"/": "no database"}), ("workers", [1, 2]), ("go", None)]
    assert not other.has_ended


def test_a_message_that_has_not_come_whole_is_kept():
    one, end = socket.socketpair()
    other = Line(end)
    with one:
        one.sendall(b'["go", nu')
        assert list(other.hear()) == []
        one.sendall(b'll]\n["st')
        assert list(other.hear()) == [("go", None)]
    other.close()


def test_a_large_message_comes_whole(ends):
    one, other = ends
    text = "x" * 1_000_000
    sending = threading.Thread(target=one.tell, args=("failing", text))
    sending.start()
    assert other.wait() == ("failing", text)
    sending.join()


def test_the_end_of_the_other_process_is_known_and_what_it_said_before_is_heard(ends):
    one, other = ends
    one.tell("refused", "why")
    one.close()
    assert list(other.hear()) == [("refused", "why")]
    assert other.has_ended
    other.tell("go")  # nobody listens, which is no error
    assert other.wait() is None


def test_a_message_that_is_taken_in_part_ends_the_line(ends, monkeypatch):
    monkeypatch.setattr(line, "_PATIENCE", 0.1)
    one, other = ends
    one.tell("failing", "x" * 10_000_000)
    assert one.has_ended
    one.tell("go")  # which would be the rest of a message that has never come whole
    assert list(other.hear()) == []
    one.close()
    assert other.wait() is None


def test_a_message_of_which_nothing_is_taken_is_dropped_and_the_line_stays(monkeypatch):
    monkeypatch.setattr(line, "_PATIENCE", 0.1)
    end, other_end = socket.socketpair()
    one, other = Line(end), Line(other_end)
    message = b'["go", null]\n'
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:  # until there is no room
            assert end.send(message) == len(message)
            count += 1
    one.tell("failing", "never sent")
    assert not one.has_ended
    heard = []
    while len(heard) < count:
        heard += other.hear()
    one.tell("ready")
    assert list(other.hear()) == [("ready", None)]
    assert heard == [("go", None)] * count
    one.close()
    other.close()


@pytest.mark.parametrize("text", [b"garbage\n", b"[1, 2, 3]\n", b"7\n", b"[" * 100_000 + b"\n"], ids=len)
def test_what_no_process_of_ours_says_ends_the_line(text):
    one, end = socket.socketpair()
    other = Line(end)
    with one:
        sending = threading.Thread(target=one.sendall, args=(b'["go", null]\n' + text,))
        sending.start()
        heard = []
        while not other.has_ended:
            heard += other.hear()
        sending.join()
    assert heard == [("go", None)]
    other.close()
