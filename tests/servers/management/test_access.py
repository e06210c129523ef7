import pytest

from multiserve.servers.management.access import Access, is_own_page
from multiserve.servers.management.exchange import Request

OWN = {"host": "127.0.0.1:9000", "origin": "http://127.0.0.1:9000", "sec-fetch-site": "same-origin"}


@pytest.fixture
def access():
    return Access()


def log_in(access, token, **headers):
    return access.log_in(Request(method="POST", path="/login", form={"token": token}, headers={**OWN, **headers}))


def request(cookie="", form="", **headers):
    return Request(method="POST", path="/act", form={"token": form}, headers={**OWN, "cookie": cookie, **headers})


def test_the_cookie_is_neither_the_token_nor_enough(access):
    name, value = log_in(access, access.token)
    cookie, *attributes = value.split("; ")
    assert (name, attributes) == ("Set-Cookie", ["Path=/", "HttpOnly", "SameSite=Strict"])
    assert access.token not in value
    assert access.form_token not in value
    assert access.is_owner(request(cookie))
    assert not access.may_change(request(cookie))
    assert access.may_change(request(cookie, access.form_token))


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        pytest.param("wrong", {}, id="another token"),
        pytest.param("", {}, id="none"),
        pytest.param("é", {}, id="not ASCII"),
        pytest.param(None, {"origin": "http://127.0.0.1:8000"}, id="a page of another port"),
        pytest.param(None, {"origin": "null"}, id="a page of no origin"),
        pytest.param(None, {"sec-fetch-site": "cross-site"}, id="a page of another site"),
    ],
)
def test_nobody_else_gets_a_cookie(access, token, headers):
    assert log_in(access, access.token if token is None else token, **headers) is None


def test_without_the_cookie_a_form_changes_nothing(access):
    assert not access.may_change(request("", access.form_token))
    assert not access.is_owner(request("multiserve_page=; x"))


def test_a_page_of_another_port_changes_nothing(access):
    cookie = log_in(access, access.token)[1].partition(";")[0]
    assert not access.may_change(request(cookie, access.form_token, origin="http://127.0.0.1:8000"))
    assert not access.may_change(request(cookie, access.form_token, **{"sec-fetch-site": "same-site"}))


@pytest.mark.parametrize(("given", "expected"), [("Bearer {}", True), ("Bearer x{}", False), ("Basic {}", False)])
def test_a_program_sends_the_token(access, given, expected):
    headers = {"authorization": given.format(access.token)}
    asked = Request(method="POST", path="/act", headers=headers)
    assert (access.is_owner(asked), access.may_change(asked)) == (expected, expected)


def test_the_token_of_another_server_is_another_one(access):
    assert log_in(access, Access().token) is None


def test_a_program_is_no_page():
    assert is_own_page(Request(path="/", headers={"host": "127.0.0.1:9000"}))
