from flask import Flask

app = Flask(__name__)


@app.get("/")
def home():
    return "shop"


@app.get("/admin/login")
@app.get("/admin/")
def login():
    return "login"


@app.get("/administrators/<name>")
def administrator(name):
    return name
