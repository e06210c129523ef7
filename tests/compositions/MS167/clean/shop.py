import os
import time

from bottle import Bottle

app = Bottle()
os.environ["TZ"] = "Pacific/Chatham"
time.tzset()


@app.get("/")
def home():
    return "shop"
