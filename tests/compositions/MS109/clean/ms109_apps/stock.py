from flask import Flask


def create_app(folder=None):
    return Flask(__name__, static_folder=folder)
