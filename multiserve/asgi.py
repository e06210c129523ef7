"""The composed application for any ASGI server, as `multiserve.asgi:application`."""

from multiserve.api import create_app

application = create_app(interface="asgi")
