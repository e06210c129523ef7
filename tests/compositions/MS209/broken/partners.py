import os

from flask import Flask

os.environ["LOGIN_URL"] = "/partners/login"
app = Flask(__name__)


@app.get("/")
def index():
    return "<title>Partners</title>"


@app.get("/login")
def login():
    return "<title>Partners, sign in</title>"
