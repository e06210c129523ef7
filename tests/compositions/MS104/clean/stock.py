import falcon.asgi


class Items:
    async def on_get(self, request, response):
        response.media = []


app = falcon.asgi.App()
app.add_route("/items", Items())
