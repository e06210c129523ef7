"""examples/three-frameworks in both servers: every framework's own URLs carry the prefix, and everything works."""

from __future__ import annotations

import hashlib
import json

import pytest

MIB = 1024 * 1024


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((), id="development", marks=pytest.mark.xdist_group("three-development")),
        pytest.param(("--production", "--workers", "2"), id="production", marks=pytest.mark.xdist_group("three")),
    ],
)
def server(request, start_for_module, copy_example):
    folder, env = copy_example("three-frameworks")
    return start_for_module("run", "--port", "0", *request.param, cwd=folder, env=env).ready()


PYRAMID = {"home": "/", "hello": "/hello/world", "visits": "/visits.json"}
DJANGO = {"guestbook:list": "/django/", "guestbook:add": "/django/add/", "admin:index": "/django/admin/"}
FLASK = {"site.home": "/flask/", "site.login": "/flask/login", "site.upload": "/flask/upload"}


@pytest.mark.parametrize(
    ("page", "paths"),
    [
        pytest.param("/", PYRAMID, id="pyramid"),
        pytest.param("/hello/J%C3%BCrgen", PYRAMID, id="pyramid below its root"),
        pytest.param("/django/", DJANGO, id="django"),
        pytest.param("/django/add/", DJANGO, id="django below its root"),
        pytest.param("/django", DJANGO, id="django without the slash"),
        pytest.param("/flask/", FLASK, id="flask"),
        pytest.param("/flask/login", FLASK, id="flask below its root"),
    ],
)
def test_links_carry_the_prefix_relative_and_absolute(server, page, paths):
    response = server.get(page)
    assert response.status == 200
    assert response.urls == {name: (path, f"{server.origin}{path}") for name, path in paths.items()}


def test_links_carry_the_host_that_the_client_asked(server):
    response = server.get("/flask/", Host="shop.localhost:8080")
    assert response.urls["site.login"] == ("/flask/login", "http://shop.localhost:8080/flask/login")


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        pytest.param("/django/add", 301, "/django/add/", id="django adds a slash"),
        pytest.param("/django/admin", 301, "/django/admin/", id="django's admin adds a slash"),
        pytest.param("/django/admin/", 302, "/django/admin/login/?next=/django/admin/", id="django asks for a login"),
        pytest.param("/flask", 308, "ORIGIN/flask/", id="flask adds a slash"),
    ],
)
def test_redirects_carry_the_prefix(server, path, status, location):
    response = server.get(path)
    assert (response.status, response.location) == (status, location.replace("ORIGIN", server.origin))


@pytest.mark.parametrize(
    "path",
    [
        "/static/style.css",
        "/django/static/guestbook/style.css",
        "/django/static/admin/css/base.css",
        "/flask/static/style.css",
    ],
)
def test_static_files_are_served(server, path):
    response = server.get(path)
    assert (response.status, response.headers["Content-Type"].partition(";")[0]) == (200, "text/css")


@pytest.mark.parametrize(
    "path", ["/nope", "/django/nope/", "/flask/nope", "/djangonope", "/flasks/login", "/Flask/login", "//flask/login"]
)
def test_what_no_application_knows_is_not_found(server, path):
    assert server.get(path).status == 404


def test_a_form_post_with_a_csrf_token_is_answered_by_pyramid(server):
    browser = server.browser()
    token = browser.get("/").field("csrf_token")
    response = browser.post("/", csrf_token=token, name="Ada")
    assert (response.status, response.location) == (303, f"{server.origin}/hello/Ada")
    assert "Hello, Ada!" in browser.get("/hello/Ada").text
    assert json.loads(browser.get("/visits.json").text) == {"visits": 1}


def test_a_form_post_without_a_csrf_token_is_refused(server):
    assert server.browser().post("/", name="Ada").status == 400
    assert server.browser().post("/django/add/", name="Ada", message="no").status == 403


def test_a_guestbook_entry_is_kept_by_django(server):
    browser = server.browser()
    token = browser.get("/django/add/").field("csrfmiddlewaretoken")
    response = browser.post("/django/add/", csrfmiddlewaretoken=token, name="Ada", message="Grüße")
    assert (response.status, response.location) == (302, "/django/")
    assert "<li>Grüße <em>Ada</em>" in server.get("/django/").text


def test_djangos_admin_signs_in_with_a_session_cookie(server):
    browser = server.browser()
    login = "/django/admin/login/?next=/django/admin/"
    token = browser.get(login).field("csrfmiddlewaretoken")
    form = {"csrfmiddlewaretoken": token, "next": "/django/admin/", "username": "demo"}
    assert "Please enter the correct username and password" in browser.post(login, **form, password="wrong").text
    response = browser.post(login, **form, password="demo")
    assert (response.status, response.location) == (302, "/django/admin/")
    assert browser.jar.keys() == {"django_csrftoken", "django_session"}
    index = browser.get("/django/admin/")
    assert index.status == 200
    assert 'href="/django/admin/guestbook/entry/add/"' in index.text
    assert 'href="/django/static/admin/css/base.css"' in index.text


def test_a_flask_session_keeps_its_notes(server):
    browser = server.browser()
    response = browser.post("/flask/notes", text="lost")
    assert (response.status, response.location) == (303, "/flask/login")
    response = browser.post("/flask/login", name="demo", password="demo")
    assert (response.status, response.location) == (303, "/flask/")
    assert browser.post("/flask/notes", text="first note").status == 303
    assert "<li>first note" in browser.get("/flask/").text


def test_three_logins_live_in_one_cookie_jar(server):
    browser = server.browser()
    browser.get("/")
    browser.get("/django/add/")
    browser.post("/flask/login", name="demo", password="demo")
    assert browser.jar.keys() == {"pyramid_session", "django_csrftoken", "flask_session"}
    assert "Signed in as <strong>demo</strong>" in browser.get("/flask/").text
    assert json.loads(browser.get("/visits.json").text) == {"visits": 1}


@pytest.mark.parametrize("chunked", [pytest.param(False, id="Content-Length"), pytest.param(True, id="chunked")])
def test_a_large_upload_is_read_to_its_end(server, chunked):
    part = bytes(range(256)) * (MIB // 256)
    digest = hashlib.sha256(part * 20).hexdigest()
    body, headers = ((part for _ in range(20)), {"Transfer-Encoding": "chunked"}) if chunked else (part * 20, {})
    response = server.browser().request("POST", "/flask/upload", body, headers)
    assert json.loads(response.text) == {"size": 20 * MIB, "sha256": digest}


def test_the_summary_says_where_each_mount_is(server):
    assert "/django  django_site.wsgi" in server.log
    assert f"{server.origin}/django/" in server.log
