from flask import Flask
from prices import PRICES

app = Flask(__name__)


@app.get("/")
def home():
    return PRICES
