from flask import Flask

app = Flask(__name__)


@app.get("/robots.txt")
def robots():
    return "User-agent: *"
