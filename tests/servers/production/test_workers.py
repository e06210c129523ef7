"""What the master knows of its workers: what they say, who is left, and how long to wait after a failure."""

from __future__ import annotations

from socket import socketpair
from types import SimpleNamespace

import pytest

from multiserve.servers.groups.line import Line
from multiserve.servers.production.workers import Generation, Member, Retries


@pytest.fixture
def generation():
    """Make a generation for two mounts; `lines` has the workers' ends."""
    application = SimpleNamespace(
        config=SimpleNamespace(mounts=[SimpleNamespace(name="/"), SimpleNamespace(name="/b")])
    )
    generation = Generation(application, [])
    lines = {}
    for pid in (1, 2):
        ours, lines[pid] = socketpair()
        generation.members[pid] = Member(Line(ours))
    members = dict(generation.members)
    yield SimpleNamespace(lines=lines, it=generation)
    for line in (*lines.values(), *(member.line for member in members.values())):
        line.close()


def test_a_message_that_comes_in_parts_is_heard_once_it_is_whole(generation):
    generation.lines[1].sendall(b'["refus')
    assert list(generation.it.hear()) == []
    generation.lines[1].sendall(b'ed", "no"]\n["exhau')
    assert list(generation.it.hear()) == [(1, "refused", "no")]
    generation.lines[1].sendall(b'sted", null]\n')
    assert list(generation.it.hear()) == [(1, "exhausted", None)]
    assert generation.it.exhausted == [1]


def test_a_message_longer_than_a_socket_takes_at_once_is_heard(generation):
    text = "x" * 100_000
    generation.lines[1].sendall(f'["refused", "{text}"]\n'.encode())
    assert list(generation.it.hear()) == [(1, "refused", text)]


def test_what_a_worker_said_before_its_end_is_heard(generation):
    generation.lines[1].sendall(b'["refused", "no"]\n')
    generation.lines[1].close()
    assert list(generation.it.hear()) == [(1, "refused", "no")]
    assert list(generation.it.hear()) == []


def test_who_is_signalled_to_stop_is_heard_no_further(generation):
    generation.lines[1].sendall(b'["refused", "no"]\n["refused", "never"]\n')
    heard = []
    for pid, *message in generation.it.hear():
        generation.it.members.pop(pid).line.close()
        heard.append(message)
    assert heard == [["refused", "no"]]


@pytest.mark.parametrize("sent", [b"nonsense\n", b"\xff\n", b"1\n"])
def test_what_is_no_message_of_ours_is_not_heard(generation, sent):
    generation.lines[1].sendall(sent)
    generation.lines[2].sendall(b'["exhausted", null]\n')
    assert list(generation.it.hear()) == [(2, "exhausted", None)]


def test_a_mount_is_broken_where_one_of_the_workers_lacks_it(generation):
    for pid, (lacking, broken) in enumerate([("[]", []), ('["/b"]', ["/b"])], 1):
        generation.lines[pid].sendall(f'["ready", {lacking}]\n'.encode())
        list(generation.it.hear())
        assert generation.it.broken == broken


def test_what_is_served_is_what_any_worker_serves_that_is_ready(generation):
    assert (generation.it.serves, generation.it.has_ready, generation.it.is_ready) == (set(), False, False)
    generation.lines[1].sendall(b'["ready", ["/b"]]\n')
    list(generation.it.hear())
    assert (generation.it.serves, generation.it.has_ready, generation.it.is_ready) == ({"/"}, True, False)
    generation.lines[2].sendall(b'["ready", ["/"]]\n')
    list(generation.it.hear())
    assert (generation.it.serves, generation.it.has_ready, generation.it.is_ready) == ({"/", "/b"}, True, True)


def test_who_has_ended_is_forgotten(generation):
    ((pid, member),) = generation.it.take_ended({2})
    assert (pid, member.line.fileno()) == (1, -1)
    assert list(generation.it.members) == [2]


def test_a_worker_that_has_ended_can_be_told_all_the_same(generation):
    generation.lines[1].close()
    generation.it.members[1].admit()
    generation.it.members[1].put_in_maintenance({"/": ""})


def test_a_worker_is_told_to_drain(generation):
    generation.it.members[1].drain()
    assert generation.lines[1].recv(100) == b'["drain", null]\n'


def test_a_worker_is_behind_until_it_has_said_which_mounts_it_maintains(generation):
    pages = {"/b": "/page.html"}
    for pid, member in generation.it.members.items():
        member.serves = frozenset(["/"]) if pid == 1 else None
        member.put_in_maintenance(pages)
    behind = [member.is_behind(pages) for member in generation.it.members.values()]
    assert behind == [True, False]  # the other one does not serve yet
    assert generation.lines[1].recv(100) == b'["maintain", {"/b": "/page.html"}]\n'
    generation.lines[1].sendall(b'["maintained", ["/b"]]\n')
    assert [kind for _, kind, _ in generation.it.hear()] == ["maintained"]
    assert not generation.it.members[1].is_behind(pages)
    assert generation.it.members[1].is_behind({})
    generation.it.add(3, generation.lines[1].dup(), 0.0, pages)
    generation.it.members[3].serves = frozenset()
    assert not generation.it.members[3].is_behind(pages)
    generation.it.members.pop(3).line.close()


def test_pauses_double_up_to_a_minute():
    retries = Retries()
    now = 0.0
    pauses = []
    for _ in range(8):
        pauses.append(retries.fail(now))
        assert not retries.is_due(now + pauses[-1] - 0.1)
        now += pauses[-1]
        assert retries.is_due(now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_failures_during_a_pause_do_not_make_it_longer():
    retries = Retries()
    assert [retries.fail(now) for now in (0.0, 0.0, 0.25)] == [1, 1, 0.75]


@pytest.mark.parametrize(("name", "next_pause"), [("succeed", 1), ("hasten", 4)])
def test_a_pause_ends_early(name, next_pause):
    retries = Retries()
    retries.fail(0.0)
    retries.fail(1.0)
    getattr(retries, name)()
    assert retries.is_due(1.0)
    assert retries.fail(1.0) == next_pause
