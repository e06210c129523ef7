from __future__ import annotations

import pytest

from multiserve.discovery.names import names_of, prefix_of, siteness


@pytest.mark.parametrize(
    ("module", "attribute", "names"),
    [
        ("app", "app", ()),
        ("chat.main", "app", ("chat",)),
        ("main", "admin_app", ("admin",)),
        ("shop", "create_app", ("shop",)),
        ("shop.web", "create_api_app", ("api", "shop")),
        ("backoffice.wsgi", "application", ("backoffice",)),
    ],
)
def test_names(module, attribute, names):
    assert names_of(module, attribute) == names


@pytest.mark.parametrize(
    ("name", "prefix"), [("flask_site", "/flask-site"), ("FastAPI", "/fastapi"), ("a__b_", "/a-b")]
)
def test_prefixes(name, prefix):
    assert prefix_of(name) == prefix


def test_what_looks_like_the_site():
    order = [
        ("Vite", ()),
        ("Flask", ("storefront",)),
        ("Flask", ("shop",)),
        ("FastAPI", ("chat",)),
        ("Flask", ("admin",)),
    ]
    ranked = sorted(order, key=lambda each: -siteness(*each))
    assert ranked == [order[1], order[0], order[2], order[4], order[3]]
