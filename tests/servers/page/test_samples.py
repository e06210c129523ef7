import math

import pytest

from multiserve.dispatch.counting.counts import BUCKETS, Counts
from multiserve.servers.page.samples import INTERVAL, NOTHING, NUMBER, Sample, Samples, together


def sample(*durations, errors=0):
    counts = Counts(["/"])
    for number, seconds in enumerate(durations):
        counts.finish("/", "GET" if number % 2 else "POST", 500 if number < errors else 200, int(seconds * 1e9))
    samples = Samples()
    samples.take({}, 0)
    samples.take(counts.read(), INTERVAL)
    return samples.of("/")[-1]


@pytest.mark.parametrize(
    ("durations", "part", "seconds"),
    [
        pytest.param([], 0.5, None, id="no request"),
        pytest.param([0.001], 0.5, 0.005, id="one"),
        pytest.param([0.001, 0.03, 0.04], 0.5, 0.05, id="the median of three"),
        pytest.param([0.001] * 99 + [2.0], 0.99, 0.005, id="one of a hundred is slow"),
        pytest.param([0.001] * 98 + [2.0] * 2, 0.99, 2.5, id="two of a hundred are slow"),
        pytest.param([60.0], 0.99, math.inf, id="above the last bound"),
    ],
)
def test_a_quantile_is_the_bound_of_a_bucket(durations, part, seconds):
    assert sample(*durations).quantile(part) == seconds


def test_an_interval_has_what_was_counted_in_it():
    counts, samples = Counts(["/", "/quiet"]), Samples()
    counts.finish("/", "GET", 200, 0)
    assert samples.is_due(100.0)
    samples.take(counts.read(), 100.0)
    assert [samples.is_due(100.0 + INTERVAL - 1), samples.is_due(100.0 + INTERVAL)] == [False, True]
    counts.finish("/", "GET", 500, 0)
    counts.finish("/", "PUT", 200, 0)
    samples.take(counts.read(), 105.0)
    samples.take(counts.read(), 110.0)
    *before, busy, idle = samples.of("/")
    assert before == [NOTHING] * (NUMBER - 2)
    assert (busy.requests, busy.errors, idle) == (2, 1, NOTHING)
    assert samples.of("/quiet") == samples.of("/unknown") == [NOTHING] * NUMBER


def test_old_intervals_are_dropped():
    samples = Samples()
    for number in range(NUMBER + 10):
        samples.take({}, number * INTERVAL)
    assert len(samples.of("/")) == NUMBER


def test_a_count_that_begins_anew_is_no_negative_number():
    counts, samples = Counts(["/"]), Samples()
    counts.finish("/", "GET", 200, 0)
    samples.take(counts.read(), 0)
    samples.take(Counts(["/"]).read(), INTERVAL)
    assert samples.of("/")[-1] == NOTHING


def test_samples_are_added_up():
    assert together([]) == NOTHING
    assert together([sample(0.001, errors=1), sample(0.001, 20.0)]) == Sample((2, *[0] * (len(BUCKETS) - 1), 1), 1)
