import pathlib

from bottle import Bottle

app = Bottle()
DATA = pathlib.Path(__file__).parent / "data"


@app.get("/")
def home():
    return "shop"
