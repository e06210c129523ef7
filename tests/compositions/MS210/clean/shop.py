from flask import Flask, jsonify

app = Flask(__name__)
PAGE = """<title>Shop</title>
<script src="{static}/basket.js"></script>
<button hx-post="orders">Order</button>
<script>
    fetch("prices").then(show);
    const source = new EventSource(`${prefix}/news`);
</script>
"""


@app.get("/")
def index():
    return PAGE.replace("{static}", "/shop/static")


@app.get("/prices")
def prices():
    return jsonify([3])


@app.get("/news")
def news():
    return "", 200, {"Content-Type": "text/event-stream"}


@app.post("/orders")
def order():
    return "thanks"


@app.get("/basket/<int:number>")
def basket(number):
    return jsonify(number)
