import falcon.asgi


class Orders:
    async def on_get(self, request, response):
        response.media = []


app = falcon.asgi.App()
app.add_route("/api/orders", Orders())
