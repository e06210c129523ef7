import bottle

app = bottle.default_app()


@bottle.get("/")
def home():
    return "blog"
