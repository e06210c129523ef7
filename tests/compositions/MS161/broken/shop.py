import os
import pathlib

from bottle import Bottle

app = Bottle()
os.chdir(pathlib.Path(__file__).parent / "data")


@app.get("/")
def home():
    return "shop"
