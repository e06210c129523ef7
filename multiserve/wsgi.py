"""The composed application for any WSGI server, as `multiserve.wsgi:application`."""

from multiserve.api import create_app

# A real module global: uWSGI does not find what a module's __getattr__ gives.
application = create_app(interface="wsgi")
