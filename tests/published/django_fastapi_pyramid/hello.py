"""The first application of Pyramid's documentation."""

from pyramid.config import Configurator
from pyramid.response import Response


def hello_world(request):
    return Response(f'<a href="{request.route_url("hello")}">Hello World!</a>')


with Configurator() as config:
    config.add_route("hello", "/")
    config.add_view(hello_world, route_name="hello")
    app = config.make_wsgi_app()
