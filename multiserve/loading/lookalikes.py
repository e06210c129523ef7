"""Objects that are taken for applications and are none: parts of one, or applications of another interface."""

from __future__ import annotations

_NEITHER = "which is neither WSGI nor ASGI"
_SERVE_IT = "multiserve cannot serve it: run it by itself, behind the same proxy."
_LOOKALIKES = {
    "flask.sansio.blueprints.Blueprint": (
        "a blueprint of Flask", "Register it with app.register_blueprint(), and mount the app."
    ),
    "quart.blueprints.Blueprint": (
        "a blueprint of Quart", "Register it with app.register_blueprint(), and mount the app."
    ),
    "sanic.blueprints.Blueprint": ("a blueprint of Sanic", "Register it with app.blueprint(), and mount the app."),
    "fastapi.routing.APIRouter": (
        "a router of FastAPI", "Include it with app.include_router(), and mount the app."
    ),
    "litestar.router.Router": ("a router of Litestar", "Mount the application that has it: Litestar([router])."),
    "rest_framework.routers.BaseRouter": (
        "a router of Django REST framework", "Put its urls into the urlpatterns of the project, and mount that."
    ),
    "aiohttp.web_app.Application": (f"an application of aiohttp, {_NEITHER}", _SERVE_IT),
    "tornado.web.Application": (f"an application of Tornado, {_NEITHER}", _SERVE_IT),
}  # fmt: skip


def describe_lookalike(value: object) -> tuple[str, str] | None:
    """Return what an object is that is taken for an application, and what to do; None if it is not known to be none."""
    for kind in type(value).__mro__:
        name = f"{kind.__module__}.{kind.__qualname__}"
        if name == "litestar.app.Litestar":  # a router by inheritance, and an application
            return None
        if name in _LOOKALIKES:
            return _LOOKALIKES[name]
    return None
