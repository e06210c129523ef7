"""A stand-in for the package of this name."""

from storefront import answer


def make_wsgi_app():
    def app(environ, start_response):
        return answer("metrics", environ, start_response)

    return app
