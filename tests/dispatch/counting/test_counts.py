import os

import pytest

from multiserve.dispatch.counting.counts import ACTIVE, UNMATCHED, Counts, durations, responses


@pytest.mark.parametrize(
    ("milliseconds", "bucket"), [(0, 0), (5, 0), (5.001, 1), (10_000, 13), (10_001, 14), (10**9, 14)]
)
def test_a_duration_is_in_the_bucket_whose_bound_it_does_not_exceed(milliseconds, bucket):
    counts = Counts(["/"])
    counts.finish("/", "GET", 200, int(milliseconds * 1e6))
    buckets, seconds = durations(counts.read()["/"], "GET")
    assert (buckets.index(1), sum(buckets)) == (bucket, 1)
    assert seconds == pytest.approx(milliseconds / 1000)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(0, "none"), (101, "1xx"), (204, "2xx"), (302, "3xx"), (404, "4xx"), (599, "5xx"), (600, "none")],
)
def test_the_class_of_a_status(status, kind):
    counts = Counts(["/"])
    counts.finish("/", "GET", status, 1)
    assert {name for name, count in responses(counts.read()["/"]).items() if count} == {kind}


def test_methods_that_clients_make_up_are_counted_together():
    counts = Counts(["/"])
    for method in ("GET", "get", "BREW", "POST"):
        counts.finish("/", method, 200, 1)
    row = counts.read()["/"]
    assert [sum(durations(row, method)[0]) for method in ("GET", "POST", "_OTHER")] == [1, 1, 2]


def test_a_mount_that_is_not_known_counts_with_what_no_mount_takes():
    counts = Counts(["/"])
    counts.finish("/new", "GET", 200, 1)
    assert [sum(responses(counts.read()[name]).values()) for name in ("/", UNMATCHED)] == [0, 1]


def test_another_process_sees_it():
    counts = Counts(["/", "/shop"])
    pid = os.fork()
    if pid == 0:
        counts.add(counts.offset_of("/shop") + ACTIVE, 3)
        os._exit(0)
    os.waitpid(pid, 0)
    assert {name: row[ACTIVE] for name, row in counts.read().items()} == {"/": 0, "/shop": 3, "": 0}
