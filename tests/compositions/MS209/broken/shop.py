import pagekit

app = pagekit.application


@pagekit.page("/")
def index():
    return "<title>Shop</title><h1>What we sell</h1>"
