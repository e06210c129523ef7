"""WSGI applications that answer what they see."""


def answer(name, environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    seen = {key: environ.get(key, "") for key in ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")}
    return [f"{name} {seen}".encode()]


def app(environ, start_response):
    return answer("storefront", environ, start_response)
