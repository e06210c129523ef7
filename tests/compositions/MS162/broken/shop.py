import logging

from bottle import Bottle

app = Bottle()
logging.getLogger().setLevel(logging.DEBUG)


@app.get("/")
def home():
    return "shop"
