import sqlite3

from flask import Flask

app = Flask(__name__)
database = sqlite3.connect(":memory:")


@app.get("/")
def home():
    return str(database.execute("SELECT 1").fetchone())
