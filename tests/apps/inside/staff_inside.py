"""Flask, which takes two hosts alone."""

from flask import Flask


def create_app():
    app = Flask(__name__, static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["staff.example.com", ".example.org"]

    @app.route("/users/", methods=["GET", "POST"])
    def users():
        raise AssertionError

    return app


class Middleware:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        raise AssertionError


wrapped = Middleware(create_app())
