from multiserve.dispatch.counting.counts import Counts
from multiserve.servers.management.metrics import metrics
from multiserve.servers.management.state import State
from multiserve.servers.management.totals import Totals

STATUS = {
    "process": {"pid": 1},
    "workers": [{"pid": 2}, {"pid": 3}],
    "groups": [{"name": "g", "state": "up", "process": {"pid": 10}, "workers": [{"pid": 20}], "restarts": 4}],
    "mounts": [{"mount": "/", "state": "ok"}, {"mount": "/bad", "state": "failed"}],
}


def test_all_of_it():
    counts, totals = Counts(["/", "/bad", "/gone"]), Totals()
    totals.begin(2, counts)
    counts.finish("/", "GET", 200, 7_000_000)
    counts.finish("/", "GET", 500, 20_000_000_000)
    counts.finish("/gone", "GET", 200, 1)
    counts.finish("/nowhere", "BREW", 404, 1)
    state = State(status=STATUS, started=5, reloads={"ok": 1, "refused": 2})
    answer = metrics(state, totals, lambda pid: pid * 100, None)
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.body.splitlines()
    for line in (
        "# TYPE http_server_request_duration_seconds histogram",
        'http_server_request_duration_seconds_bucket{http_route="/",http_request_method="GET",le="0.005"} 0',
        'http_server_request_duration_seconds_bucket{http_route="/",http_request_method="GET",le="0.01"} 1',
        'http_server_request_duration_seconds_bucket{http_route="/",http_request_method="GET",le="10.0"} 1',
        'http_server_request_duration_seconds_bucket{http_route="/",http_request_method="GET",le="+Inf"} 2',
        'http_server_request_duration_seconds_sum{http_route="/",http_request_method="GET"} 20.007',
        'http_server_request_duration_seconds_count{http_route="/",http_request_method="GET"} 2',
        'http_server_request_duration_seconds_count{http_route="unmatched",http_request_method="_OTHER"} 1',
        'http_server_responses_total{http_route="/",http_response_status_class="5xx"} 1',
        'http_server_responses_total{http_route="unmatched",http_response_status_class="4xx"} 1',
        'http_server_active_requests{http_route="/bad"} 0',
        'multiserve_mount_up{http_route="/"} 1',
        'multiserve_mount_up{http_route="/bad"} 0',
        'multiserve_group_restarts_total{group="g"} 4',
        "multiserve_workers 2",
        "multiserve_workers_started_total 5",
        'multiserve_reloads_total{outcome="refused"} 2',
        'multiserve_memory_bytes{process="master",group=""} 100',
        'multiserve_memory_bytes{process="workers",group=""} 500',
        'multiserve_memory_bytes{process="group",group="g"} 3000',
    ):
        assert line in lines
    assert "/gone" not in answer.body


def test_before_the_first_look():
    assert "multiserve_workers 0\n" in metrics(State(), Totals(), int, None).body
