"""The metrics of the process, by the application that Prometheus's client has."""

from prometheus_client import make_asgi_app

app = make_asgi_app()
