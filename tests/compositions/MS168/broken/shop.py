import socket

from bottle import Bottle

app = Bottle()
socket.setdefaulttimeout(2.5)


@app.get("/")
def home():
    return "shop"
