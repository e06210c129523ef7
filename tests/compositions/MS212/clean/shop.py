from flask import Flask

app = Flask(__name__)
PAGE = """<title>Shop</title>
<link rel="stylesheet" href="{static}/shop.css">
<link rel="stylesheet" href="{static}/print.css">
<link rel="icon" href="/shop/icon.png">
<img src="{static}/logo.png">
"""


@app.get("/")
def index():
    return PAGE.replace("{static}", "/shop/static")
