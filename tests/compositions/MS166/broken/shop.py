import logging.config

from bottle import Bottle

app = Bottle()
logging.config.dictConfig({"version": 1})


@app.get("/")
def home():
    return "shop"
