"""The first application of Falcon's documentation."""

import falcon.asgi


class Quote:
    async def on_get(self, _, response):
        response.media = {"quote": "I've always been more interested in the future than in the past."}


app = falcon.asgi.App()
app.add_route("/quote", Quote())
