"""Flask and Quart, which share the URL map of werkzeug and the names of their settings."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from multiserve.frameworks.facts import (
    NOT_FOUND,
    AllowedHosts,
    Cookie,
    Facts,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    Inside,
    Onward,
    Setting,
)
from multiserve.frameworks.reading import is_a, known, loaded, plain_methods, secret_of, texts, version_of
from multiserve.frameworks.views import place_of
from multiserve.frameworks.wrappers import Unwrapped, look_through
from multiserve.paths import to_wsgi


def recognises(application: object) -> bool:
    """Return whether it is an application of Flask or of Quart."""
    return is_a(application, "flask.app", "Flask") or is_quart(application)


def is_quart(application: object) -> bool:
    """Return whether it is an application of Quart."""
    return is_a(application, "quart.app", "Quart")


def read(application: Any, _: Inside) -> Facts:
    """Read the URL map and the settings."""
    name = "Quart" if is_quart(application) else "Flask"
    around = _around(application)
    return Facts(
        application=application,
        framework=name,
        version=version_of(name),
        wrappers=around.wrappers if around else (),
        routes=known(lambda: _routes(application), None) if around else None,
        cookies=known(lambda: _cookies(application), None),
        secret=known(lambda: secret_of("SECRET_KEY", application.config["SECRET_KEY"]), None),
        logger=known(lambda: str(application.name), None),  # reading `application.logger` would add a handler to it
        debug=known(lambda: bool(application.debug), None),
        own_prefix=known(lambda: _own_prefix(application), ()),
        hosts=known(lambda: _hosts(application), None),
        written_files=known(lambda: _written_files(application), ()),
        static_folder=known(lambda: application.static_folder, None),
        may_answer_first=bool(known(lambda: application.before_request_funcs.get(None), ())),
    )


def _written_files(application: Any) -> tuple[Setting, ...]:
    """Return the databases of Flask-SQLAlchemy, whose relative paths start from the instance folder."""
    url = str(application.config.get("SQLALCHEMY_DATABASE_URI") or "")
    scheme, _, path = url.partition(":///")
    if not scheme.startswith("sqlite") or not path:
        return ()
    file = Path(application.instance_path, path.partition("?")[0])
    return () if path.startswith((":memory:", "file:")) else (Setting("SQLALCHEMY_DATABASE_URI", str(file)),)


def _around(application: Any) -> Unwrapped | None:
    """Return the middleware that has replaced `wsgi_app`; None if it may answer instead of the application."""
    for name in ("wsgi_app", "asgi_app"):
        if name in vars(application):
            return look_through(vars(application)[name], lambda each: each is application)
    return Unwrapped(application, ())


def _routes(application: Any) -> tuple[InnerRoute, ...]:
    rules = application.url_map.iter_rules()
    return tuple(_route(application, rule) for rule in rules if not rule.build_only)


def _route(application: Any, rule: Any) -> InnerRoute:
    view = application.view_functions.get(rule.endpoint)
    if rule.endpoint == "static" and inspect.isfunction(view) and view.__name__ == "<lambda>":
        view = type(application).send_static_file
    websocket = getattr(rule, "websocket", False)
    return InnerRoute(
        path=rule.rule,
        methods=("WEBSOCKET",) if websocket else plain_methods(rule.methods),
        name=rule.endpoint,
        host=_host(application, rule),
        **place_of(view)._asdict(),
    )


def _host(application: Any, rule: Any) -> str:
    if application.url_map.host_matching:
        return rule.host or ""
    server_name = application.config["SERVER_NAME"]
    if rule.subdomain and server_name and application.subdomain_matching:
        return f"{rule.subdomain}.{server_name}"
    return ""


def _cookies(application: Any) -> tuple[Cookie, ...]:
    interface = application.session_interface
    if type(interface).__name__ == "SecureCookieSessionInterface" and not application.secret_key:
        return ()  # there is no session without a key
    name, path = interface.get_cookie_name(application), interface.get_cookie_path(application)
    domain = interface.get_cookie_domain(application) or ""
    return (Cookie(name, path, domain, "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"),)


def _own_prefix(application: Any) -> tuple[Setting, ...]:
    root = application.config["APPLICATION_ROOT"]
    return (Setting("APPLICATION_ROOT", root),) if isinstance(root, str) and root not in ("", "/") else ()


def _hosts(application: Any) -> AllowedHosts | None:
    if is_quart(application):
        return None
    if trusted := application.config.get("TRUSTED_HOSTS"):  # an empty list allows all
        hosts = texts((trusted,) if isinstance(trusted, str) else trusted)
        without_ports = tuple(re.sub(r":\d*$", "", host) for host in hosts)
        return AllowedHosts("TRUSTED_HOSTS", tuple(each for each in without_ports if not each.startswith("*")))
    server_name = application.config["SERVER_NAME"]
    # Without subdomain matching Flask looks at SERVER_NAME only for the URLs that it makes.
    if server_name and application.subdomain_matching and not application.url_map.host_matching:
        return AllowedHosts("SERVER_NAME", (f".{server_name.partition(':')[0]}",))
    return None


def find(application: Any, request: InnerRequest, _: Onward) -> InnerAnswer | None:
    """Ask the URL map."""
    if _around(application) is None:
        return None
    if is_quart(application) and request.prefix and not request.path:
        return NOT_FOUND  # Quart makes an invalid path of the bare prefix
    try:
        adapter = (_bind_quart if is_quart(application) else _bind_flask)(application, request)
        return adapter and InnerAnswer(outcome="view", route=_match(application, adapter, request))
    except Exception as error:  # noqa: BLE001 (only four of werkzeug are answers)
        answer = _refusal(error)
    if answer and answer.outcome == "redirect":
        slashed = request._replace(path=f"{request.path}/")
        return replace(answer, route=known(lambda: _match(application, adapter, slashed), None))
    return answer


def _match(application: Any, adapter: Any, request: InnerRequest) -> InnerRoute:
    websocket = request.method == "WEBSOCKET"
    method = "GET" if websocket else request.method
    path = request.path or ("/" if is_quart(application) else "")  # Flask redirects the bare prefix
    rule, _ = adapter.match(path_info=path, method=method, return_rule=True, websocket=websocket)
    return _route(application, rule)


def _bind_flask(application: Any, request: InnerRequest) -> Any:
    server_name, _, port = request.host.rpartition(":") if ":" in request.host else (request.host, "", "80")
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": to_wsgi(request.prefix),
        "PATH_INFO": to_wsgi(request.path),
        "QUERY_STRING": "",
        "HTTP_HOST": request.host,
        "SERVER_NAME": server_name,
        "SERVER_PORT": port,
        "wsgi.url_scheme": request.scheme,
    }
    return application.create_url_adapter(application.request_class(environ))


def _bind_quart(application: Any, request: InnerRequest) -> Any:
    if application.url_map.host_matching or application.subdomain_matching:
        return None
    scheme = {"http": "ws", "https": "wss"}[request.scheme] if request.method == "WEBSOCKET" else request.scheme
    return application.url_map.bind(request.host, script_name=request.prefix or "/", subdomain="", url_scheme=scheme)


def _refusal(error: Exception) -> InnerAnswer | None:
    if is_a(error, "werkzeug.routing.exceptions", "RequestRedirect"):
        location = getattr(error, "new_url", "")
        return InnerAnswer(outcome="redirect", status=getattr(error, "code", 308), location=location)
    if is_a(error, "werkzeug.exceptions", "MethodNotAllowed"):
        methods = plain_methods(getattr(error, "valid_methods", None))
        return InnerAnswer(outcome="method not allowed", status=405, methods=methods)
    if is_a(error, "werkzeug.exceptions", "SecurityError"):
        return InnerAnswer(outcome="host refused", status=400)
    return NOT_FOUND if isinstance(error, loaded("werkzeug.exceptions", "NotFound") or ()) else None
