"""The views of the Pyramid site."""

from html import escape

from pyramid.csrf import get_csrf_token
from pyramid.exceptions import URLDecodeError
from pyramid.httpexceptions import HTTPBadRequest, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, view_config

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="{stylesheet}">
<h1>{title}</h1>
{body}
<h2>URLs</h2>
<table id="urls">{urls}</table>
</html>
"""


def render_page(request: Request, title: str, body: str) -> Response:
    """Wrap a body in the page that all views share, with a table of this site's URLs."""
    rows = []
    for route, parts in (("home", {}), ("hello", {"name": "world"}), ("visits", {})):
        path = escape(request.route_path(route, **parts))
        url = escape(request.route_url(route, **parts))
        rows.append(f'<tr><td>{route}<td><a href="{path}">{path}</a><td><code>{url}</code>')
    page = PAGE.format(
        title=escape(title),
        stylesheet=escape(request.static_path("pyramid_site:static/style.css")),
        body=body,
        urls="\n".join(rows),
    )
    return Response(page)


@view_config(route_name="home", request_method="GET")
def home(request: Request) -> Response:
    """Count the visitor's visits and show the greeting form."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    links = [escape(request.script_name + path) for path in request.registry.settings["neighbours"]]
    items = "".join(f'<li><a href="{link}">{link}</a>' for link in links)
    body = f"""<p>Your visit number {request.session["visits"]}.</p>
<ul id="neighbours">{items}</ul>
<form method="post" action="{escape(request.route_path("home"))}">
<input type="hidden" name="csrf_token" value="{get_csrf_token(request)}">
<label>Your name <input name="name" required></label>
<button>Greet me</button>
</form>"""
    return render_page(request, "Pyramid", body)


@view_config(route_name="home", request_method="POST")
def greet(request: Request) -> HTTPSeeOther:
    """Redirect to the greeting of the name in the form."""
    name = request.POST.get("name", "").strip() or "stranger"
    return HTTPSeeOther(request.route_url("hello", name=name))


@view_config(route_name="hello", request_method="GET")
def hello(request: Request) -> Response:
    """Greet the name in the URL."""
    return render_page(request, f"Hello, {request.matchdict['name']}!", "")


@view_config(route_name="visits", request_method="GET", renderer="json")
def visits(request: Request) -> dict[str, int]:
    """Answer the number of visits as JSON."""
    return {"visits": request.session.get("visits", 0)}


@exception_view_config(URLDecodeError)
def undecodable_url(error: URLDecodeError, request: Request) -> HTTPBadRequest:  # noqa: ARG001
    """Answer 400 to a path that is not UTF-8, which Pyramid otherwise lets through as an error."""
    return HTTPBadRequest("The path is not valid UTF-8.")
