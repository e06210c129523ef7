from flask import Flask, jsonify

app = Flask(__name__)
PAGE = """<title>Shop</title>
<link rel="manifest" href="shop.webmanifest">
<script>
    navigator.serviceWorker.register("/shop/worker.js", { scope: "/shop/" });
</script>
"""


@app.get("/")
def index():
    return PAGE


@app.get("/shop.webmanifest")
def manifest():
    return jsonify(name="Shop", start_url=".", scope="/shop/")


@app.get("/worker.js")
def worker():
    return "", 200, {"Content-Type": "text/javascript"}
