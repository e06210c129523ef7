import functools
import socket

from bottle import Bottle

app = Bottle()
connect = functools.partial(socket.create_connection, timeout=2.5)


@app.get("/")
def home():
    return "shop"
