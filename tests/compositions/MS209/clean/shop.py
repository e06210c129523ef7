import pagekit

app, page = pagekit.make(__name__)


@page("/")
def index():
    return "<title>Shop</title><h1>What we sell</h1>"
