from flask import Flask


def create_app(folder):
    return Flask(__name__, static_folder=folder)
