from flask import Flask, url_for

app = Flask(__name__)


@app.get("/")
def index():
    return f'<title>Shop</title><a href="{url_for("basket")}">Basket</a><img src="/shop/logo.png">'


@app.get("/logo.png")
def logo():
    return b"", 200, {"Content-Type": "image/png"}


@app.get("/basket")
def basket():
    return "<title>Basket</title>"
