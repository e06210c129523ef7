from multiserve.dispatch.counting.counts import ACTIVE, OPENED, Counts
from multiserve.servers.management.totals import Totals


def opened(totals):
    return {name: (row[OPENED], row[ACTIVE]) for name, row in totals.read().items()}


def test_what_workers_have_counted_stays_after_their_end():
    totals, first, second = Totals(), Counts(["/", "/old"]), Counts(["/", "/new"])
    totals.begin(1, first)
    for name in ("/", "/old"):
        first.add(first.offset_of(name) + OPENED, 2)
        first.add(first.offset_of(name) + ACTIVE, 1)
    totals.begin(2, second)
    second.add(second.offset_of("/") + OPENED, 3)
    second.add(second.offset_of("/") + ACTIVE, 4)
    assert opened(totals) == {"/": (5, 5), "/old": (2, 1), "/new": (0, 0), "": (0, 0)}
    totals.end_others([2])
    totals.end_others([2])
    assert opened(totals) == {"/": (5, 4), "/old": (2, 0), "/new": (0, 0), "": (0, 0)}
    totals.end_others([])
    assert opened(totals) == {"/": (5, 0), "/old": (2, 0), "/new": (0, 0), "": (0, 0)}
    totals.forget()
    assert opened(totals) == {}
