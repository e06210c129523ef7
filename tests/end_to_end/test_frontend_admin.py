"""examples/frontend-admin in both servers: two applications with shared models and separate sessions and logs."""

from __future__ import annotations

import pytest

MODES = [
    pytest.param((), id="development", marks=pytest.mark.xdist_group("shop")),
    pytest.param(("--production",), id="production", marks=pytest.mark.xdist_group("shop")),
]


@pytest.fixture(scope="module")
def shop(copy_example):
    return copy_example("frontend-admin")


@pytest.fixture(scope="module", params=MODES)
def server(request, start_for_module, copy_example):
    folder, env = copy_example("frontend-admin")
    running = start_for_module("run", "--port", "0", *request.param, cwd=folder, env=env).ready()
    running.logs = folder / "data" / "logs"
    return running


def test_the_staff_add_a_product_and_the_shop_sells_it(server):
    browser = server.browser()
    response = browser.get("/admin/")
    assert (response.status, response.location) == (303, "/admin/login")
    assert browser.post("/admin/login", password="wrong").status == 200
    response = browser.post("/admin/login", password="demo")
    assert (response.status, response.location) == (303, "/admin/")
    response = browser.post("/admin/", name="Sour cherry jam", price="4.50")
    assert (response.status, response.location) == (303, "/admin/")
    assert "<td>Sour cherry jam<td>4.50" in server.get("/").text


def test_sessions_do_not_collide(server):
    browser = server.browser()
    browser.post("/admin/login", password="demo")
    browser.post("/admin/", name="Honey", price="6")
    product = browser.get("/").field("product") if 'name="product" value' in browser.get("/").text else "1"
    response = browser.post("/cart", product=product)
    assert (response.status, response.location) == (303, "/cart")
    assert browser.jar.keys() == {"shop_admin", "shop_frontend"}
    assert "1 &times;" in browser.get("/cart").text
    assert "Sign out" in browser.get("/admin/").text
    browser.post("/admin/logout")
    assert browser.get("/admin/").status == 303
    assert "1 &times;" in browser.get("/cart").text


def test_neither_takes_the_session_of_the_other_for_its_own(server):
    browser = server.browser()
    browser.post("/admin/login", password="demo")
    browser.jar["shop_frontend"] = browser.jar["shop_admin"]
    assert "&times;" not in browser.get("/cart").text


def test_each_writes_its_own_log_file(server):
    browser = server.browser()
    browser.post("/admin/login", password="demo")
    browser.post("/admin/", name="Log", price="1")
    browser.post("/cart", product="1")
    admin, frontend = (server.logs / f"{name}.log" for name in ("admin", "frontend"))
    assert "signed in from 127.0.0.1" in admin.read_text()
    assert "product 1 was put into a cart" in frontend.read_text()
    assert "signed in" not in frontend.read_text()
    assert "cart" not in admin.read_text()


def test_shared_templates_static_files_and_environment_carry_the_prefix_of_the_caller(server):
    for path, stylesheet in (("/", "/static/style.css"), ("/admin/login", "/admin/static/style.css")):
        page = server.get(path)
        assert f'href="{stylesheet}"' in page.text
        assert "<strong>The Corner Shop</strong>" in page.text
        assert server.get(stylesheet).status == 200


@pytest.mark.parametrize("mode", MODES)
def test_the_admin_alone_stands_at_its_own_prefix(start, shop, mode):
    folder, env = shop
    server = start("run", "--port", "0", "--only", "/admin", *mode, cwd=folder, env={**env, "SHOP_NAME": "Alone"})
    server.ready()
    assert "multiserve: 1 mount from" in server.log
    page = server.get("/admin/login")
    assert 'action="/admin/login"' in page.text
    assert "<strong>Alone</strong>" in page.text  # a variable that is set wins over [env]
    left_out = server.get("/cart")
    if mode:
        assert (left_out.status, left_out.text) == (421, "Misdirected Request: / is served by another process.\n")
    else:
        assert left_out.status == 404
        assert left_out.text.startswith("Not Found: --only leaves out the mount /.\n")
        assert "left out" in left_out.text
