"""A small Pyramid site: a home page, a greeting form, a JSON view and a static file."""

import os
from collections.abc import Iterable

from pyramid.config import Configurator
from pyramid.router import Router
from pyramid.session import SignedCookieSessionFactory

SECRET_KEY = "pyramid: " + os.environ.get("EXAMPLE_SECRET_KEY", "for the demo only, change it")


def make_app(neighbours: Iterable[str] = ()) -> Router:
    """Build the Pyramid application, which links to its neighbours on the home page."""
    settings = {"neighbours": tuple(neighbours)}
    with Configurator(settings=settings) as config:
        # Applications on one origin share the browser's cookie jar: each needs its own cookie name.
        config.set_session_factory(SignedCookieSessionFactory(SECRET_KEY, cookie_name="pyramid_session", httponly=True))
        config.set_default_csrf_options(require_csrf=True)
        config.add_static_view("static", "static")
        config.add_route("home", "/")
        config.add_route("hello", "/hello/{name:.+}")
        config.add_route("visits", "/visits.json")
        config.scan(".views")
        return config.make_wsgi_app()
