from flask import Flask, redirect, request

app = Flask(__name__)


@app.get("/")
def index():
    if "seen" in request.cookies:
        return "<title>Shop</title>"
    response = redirect("/shop/welcome")
    response.set_cookie("seen", "1", path="/shop")
    return response


@app.get("/welcome")
def welcome():
    return redirect("/shop/")
