"""One application of the fleet."""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"one of {environ['SCRIPT_NAME']}".encode()]
