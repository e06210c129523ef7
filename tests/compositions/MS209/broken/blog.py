import pagekit

app = pagekit.application


@pagekit.page("/")
def index():
    return "<title>Blog</title><h1>What is new</h1>"
