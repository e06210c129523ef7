import logging

from bottle import Bottle

app = Bottle()
logging.getLogger("shop").setLevel(logging.DEBUG)


@app.get("/")
def home():
    return "shop"
