"""Flask."""

from flask import Flask, request, url_for

app = Flask(__name__)


@app.get("/items/<int:number>")
def item(number):
    return {
        "url_for": url_for("item", number=number + 1),
        "external": url_for("item", number=number + 1, _external=True),
        "script_root": request.script_root,
        "path": request.path,
    }


@app.post("/form")
def form():
    file = request.files["file"]
    return {"name": request.form["name"], "file": file.filename, "size": len(file.read())}
