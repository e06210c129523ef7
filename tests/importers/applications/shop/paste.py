"""What PasteDeploy calls: an application factory, and two kinds of filters."""

from storefront import answer


def make_app(global_conf, *, name="shop", **settings):
    def app(environ, start_response):
        return answer(f"{name} {global_conf.get('stage')} {sorted(settings.items())}", environ, start_response)

    return app


class Header:
    """Write down that a request came by."""

    def __init__(self, app, global_conf, word="seen"):
        self.app = app
        self.word = word

    def __call__(self, environ, start_response):
        environ["QUERY_STRING"] = f"{environ.get('QUERY_STRING', '')}&{self.word}"
        return self.app(environ, start_response)


def filter_factory(global_conf):
    return lambda app: Header(app, global_conf)
