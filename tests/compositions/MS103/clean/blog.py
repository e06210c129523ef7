from pyramid.config import Configurator
from pyramid.response import Response


def show(request):
    return Response("blog")


def make_app():
    with Configurator() as config:
        config.add_route("home", "/")
        config.add_route("year", "/{year}")
        config.add_view(show, route_name="home")
        config.add_view(show, route_name="year")
        return config.make_wsgi_app()
