"""One of two files with the same name in different folders."""

from good import answer

name = "blog"


def app(environ, start_response):
    return answer(environ, start_response)
