"""Which mount changes another one: processes are what a table says of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from multiserve.probing.answers import read_answer
from multiserve.probing.exchange import Received
from multiserve.survey.alone import Outcome
from multiserve.survey.causes import find_influences

URL = "http://localhost/"


class Runs:
    """Answers 404 where it is said to, and 200 otherwise, and counts the processes."""

    def __init__(self, changes, names):
        self.changes = changes
        self.mounts = [SimpleNamespace(name=name) for name in names]
        self.asked = []

    def run(self, mounts):
        names = [mount.name for mount in mounts]
        self.asked.append("".join(names))
        return {name: self.outcome(name, set(names)) for name in names}

    def outcome(self, name, beside):
        said = self.changes(name, beside, len(self.asked))
        if isinstance(said, str):
            return Outcome(said)
        return Outcome("", {URL: [read_answer(Received(said or 200))]})


def found(changes, names="abcdefgh"):
    runs = Runs(changes, names)
    influences = find_influences(runs, runs.mounts)
    shown = [(each.mount.name, each.cause and each.cause.name, each.difference.here, each.url) for each in influences]
    return shown, runs.asked


def test_the_others_are_halved_until_one_is_left():
    shown, asked = found(lambda name, beside, _: 404 if name == "c" and "g" in beside else 200)
    assert shown == [("c", "g", "it answers 404", URL)]
    assert asked == ["abcdefgh", *"abcdefgh", "c", "abcd", "cefgh", "cef", "cgh", "cg"]


def test_two_mounts_are_loaded_together_once_more():
    shown, asked = found(lambda name, beside, _: 404 if name == "a" and "b" in beside else 200, "ab")
    assert shown == [("a", "b", "it answers 404", URL)]
    assert asked == ["ab", "a", "b", "a", "ab"]


def test_what_happens_once_is_not_told():
    shown, asked = found(lambda name, _, number: 404 if name == "a" and number == 1 else 200, "ab")
    assert shown == []
    assert asked == ["ab", "a", "b", "a", "ab"]


def test_what_is_different_in_each_process_is_not_told():
    shown, asked = found(lambda name, _, number: 400 + number if name == "a" else 200, "ab")
    assert shown == []
    assert asked == ["ab", "a", "b", "a"]


def test_where_only_several_together_change_a_mount_none_of_them_is_named():
    shown, _ = found(lambda name, beside, _: 404 if name == "a" and {"b", "d"} <= beside else 200, "abcd")
    assert shown == [("a", None, "it answers 404", URL)]


def test_a_mount_that_cannot_be_loaded_beside_another_one():
    shown, _ = found(lambda name, beside, _: "no key" if name == "b" and "a" in beside else 200, "abc")
    assert shown == [("b", "a", "it cannot be loaded (no key)", "")]


def test_a_mount_that_cannot_be_loaded_alone():
    shown, _ = found(lambda name, beside, _: "no key" if name == "b" and "a" not in beside else 200, "abc")
    assert shown == [("b", "a", "it can be loaded", "")]


@pytest.mark.parametrize("name", ["a", ""])
def test_one_mount_alone_needs_no_process(name):
    assert found(lambda *_: 404, name) == ([], [])


def test_nothing_is_told_of_a_process_that_has_ended():
    runs = Runs(lambda *_: 200, "ab")
    runs.run = lambda mounts: {}
    assert find_influences(runs, runs.mounts) == []


def test_the_number_of_processes_is_bounded():
    names = [f"{number:03}" for number in range(100)]
    _, asked = found(lambda name, beside, _: 404 if len(beside) > 50 else 200, names)
    assert len(asked) == 1 + 100 + 60
