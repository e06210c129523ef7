"""A module that is no Python."""

def app(environ, start_response:
    return []
