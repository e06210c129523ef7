import sqlite3

from flask import Flask

app = Flask(__name__)


@app.get("/")
def home():
    return str(sqlite3.connect(":memory:").execute("SELECT 1").fetchone())
