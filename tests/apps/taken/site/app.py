"""A file whose name, or whose folder's name, the standard library has."""


def app(environ, start_response):
    return []
