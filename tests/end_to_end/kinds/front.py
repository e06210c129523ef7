"""The site around the tenants."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def home():
    return f"home for {request.remote_addr}"


@app.get("/slash/")
def slash():
    return "slash"


class Stamp:
    """WSGI middleware that stamps every response."""

    def __init__(self, application, stamp):
        self.application = application
        self.stamp = stamp

    def __call__(self, environ, start_response):
        def stamped(status, headers, *exc_info):
            return start_response(status, [*headers, ("X-Stamp", self.stamp)], *exc_info)

        return self.application(environ, stamped)
