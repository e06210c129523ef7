from flask import Flask, Response

app = Flask(__name__)


@app.get("/")
def home():
    return Response("shop", headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"})
