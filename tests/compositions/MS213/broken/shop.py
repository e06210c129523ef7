from flask import Flask, redirect

app = Flask(__name__)


@app.get("/")
def index():
    return redirect("/shop/welcome")


@app.get("/welcome")
def welcome():
    return redirect("/shop/")
