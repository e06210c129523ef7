import os

from flask import Flask, redirect

os.environ.setdefault("LOGIN_URL", "/accounts/login")
app = Flask(__name__)


@app.get("/")
def index():
    return redirect(os.environ["LOGIN_URL"])


@app.get("/login")
def login():
    return "<title>Sign in</title>"
