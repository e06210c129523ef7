"""What is leaned on in other packages is looked for in the releases that are installed."""

from __future__ import annotations

import pytest

from multiserve.errors import ServeError
from multiserve.servers.releases import check_releases, list_missing

# What is looked for -> what is missing.
CASES = {
    "an attribute of a class": (("http.client", "HTTPConnection"), ("request",), []),
    "an attribute that only instances have": (("http.client", "HTTPConnection"), ("sock",), []),
    "no such attribute": (("http.client", "HTTPConnection"), ("ask",), ["http.client.HTTPConnection.ask"]),
    "either of two": (("http.client", "HTTPConnection"), ("ask|request",), []),
    "neither of two": (("http.client", "HTTPConnection"), ("ask|beg",), ["http.client.HTTPConnection.ask|beg"]),
    "a function": (("http.client", "parse_headers"), (), []),
    "no such class": (("http.client", "Gone"), ("request",), ["http.client.Gone"]),
    "no such module": (("http.gone", "HTTPConnection"), (), ["http.gone.HTTPConnection"]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_missing_is_listed(case):
    place, attributes, missing = case
    assert list_missing({place: attributes}) == missing


def test_nothing_is_raised_where_nothing_is_missing():
    check_releases({("http.client", "HTTPConnection"): ("request",)}, ("click",), "click>=8")


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(ServeError) as caught:
        check_releases({("nowhere", "Thing"): ()}, ("nowhere",), "nowhere>=1")
    (problem,) = caught.value.problems
    assert problem.message == "the installed nowhere (not installed) does not fit: nowhere.Thing is missing"
    assert problem.hint == "These releases fit: nowhere>=1"
