import json

import pytest

from multiserve.servers.page.overview import describe_mount, describe_traffic, overview
from multiserve.servers.page.samples import NOTHING, Sample

MOUNT = {"mount": "/", "target": "shop:app", "group": "", "state": "failed", "reason": "first\nsecond\n"}
GROUP = {"name": "blog", "state": "down", "last_failure": "it ended"}


def one(bucket, errors=0):
    buckets = list(NOTHING.buckets)
    buckets[bucket] = 1
    return Sample(tuple(buckets), errors)


@pytest.mark.parametrize(("is_owner", "reason"), [(True, "first\nsecond"), (False, "first")])
def test_the_owner_alone_reads_a_whole_reason(is_owner, reason):
    assert describe_mount(MOUNT, "http://x/", None, is_owner=is_owner) == {
        **MOUNT,
        "reason": reason,
        "url": "http://x/",
        "traffic": None,
    }


def test_traffic_is_json():
    assert json.loads(json.dumps(describe_traffic([NOTHING, one(0), one(-1, errors=1)]), allow_nan=False)) == {
        "requests": 2,
        "errors": 1,
        "median": 0.005,
        "p99": -1,
        "requests_each": [0, 1, 1],
        "errors_each": [0, 0, 1],
        "median_each": [None, 0.005, -1],
        "p99_each": [None, 0.005, -1],
    }


@pytest.mark.parametrize(("is_owner", "failure"), [(True, "it ended"), (False, "")])
def test_the_owner_alone_reads_why_a_group_failed(is_owner, failure):
    shown = overview({"groups": [GROUP], "workers": [1, 2], "since": 5.0}, [], "serving", is_owner=is_owner)
    assert (shown["groups"][0]["last_failure"], shown["workers"], shown["since"]) == (failure, 2, 5.0)
    assert GROUP["last_failure"] == "it ended"
