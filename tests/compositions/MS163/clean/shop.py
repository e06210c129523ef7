import atexit

from bottle import Bottle

app = Bottle()
atexit.register(print)


@app.get("/")
def home():
    return "shop"
