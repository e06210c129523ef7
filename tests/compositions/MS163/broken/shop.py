import signal

from bottle import Bottle

app = Bottle()
signal.signal(signal.SIGTERM, lambda number, frame: None)


@app.get("/")
def home():
    return "shop"
