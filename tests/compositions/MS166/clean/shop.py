import logging.config

from bottle import Bottle

app = Bottle()
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})


@app.get("/")
def home():
    return "shop"
