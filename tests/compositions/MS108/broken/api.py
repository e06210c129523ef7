from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

app = Flask(__name__)


@app.get("/x")
def x():
    return "x"


app.wsgi_app = DispatcherMiddleware(None, {"/api": app.wsgi_app})
