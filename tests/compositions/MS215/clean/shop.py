from flask import Flask, Response

app = Flask(__name__)


@app.get("/")
def home():
    return Response("shop", headers={"Strict-Transport-Security": "max-age=31536000"})
