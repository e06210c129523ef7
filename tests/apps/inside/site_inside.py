"""Flask at the root, with routes that other mounts hide."""

from flask import Flask

app = Flask(__name__, static_folder=None)


@app.get("/")
def home():
    raise AssertionError


@app.get("/admin/login")
def login():
    raise AssertionError


@app.get("/admin/<page>")
def page():
    raise AssertionError


@app.get("/u/me")
def me():
    raise AssertionError


@app.get("/<path:rest>")
def rest():
    raise AssertionError
