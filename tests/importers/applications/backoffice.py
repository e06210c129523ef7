from storefront import answer


def create_app(stage="production", *, debug=False):
    def app(environ, start_response):
        return answer(f"backoffice {stage} {debug}", environ, start_response)

    return app


application = create_app()
app = application
