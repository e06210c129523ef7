class Word:
    def __init__(self, app, word="seen"):
        self.app = app
        self.word = word

    def __call__(self, environ, start_response):
        environ["QUERY_STRING"] = f"{environ.get('QUERY_STRING', '')}&{self.word}"
        return self.app(environ, start_response)


class ASGIWord:
    def __init__(self, app, word="seen"):
        self.app = app
        self.word = word

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope = {**scope, "query_string": scope["query_string"] + f"&{self.word}".encode()}
        await self.app(scope, receive, send)
