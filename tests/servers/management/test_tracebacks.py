from multiserve.servers.management.tracebacks import Tracebacks

ONE = {"time": 5.0, "mount": "/", "message": "it failed", "text": "Traceback"}


def test_the_last_are_kept():
    tracebacks = Tracebacks()
    for number in range(30):
        tracebacks.add([{**ONE, "time": float(number)}], 7, "blog")
    assert len(tracebacks.last) == 20
    assert tracebacks.last[-1] == {**ONE, "time": 29.0, "pid": 7, "group": "blog"}


def test_what_no_process_of_ours_reports_is_left_out_or_bounded():
    tracebacks = Tracebacks()
    tracebacks.add([None, 5, {}, {**ONE, "time": "x"}, {**ONE, "time": float("nan")}, {**ONE, "text": "x" * 99999}], 7)
    assert [len(each["text"]) for each in tracebacks.last] == [10000]
