import threading

from bottle import Bottle

app = Bottle()
ended = threading.Event()
threading.Thread(target=ended.wait, name="refresh prices", daemon=True).start()


@app.get("/")
def home():
    return "shop"
