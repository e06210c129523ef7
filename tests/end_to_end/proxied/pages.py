"""Flask: three applications that say how they see a request."""

from flask import Flask, redirect, request, url_for


def make(name):
    app = Flask(name)

    @app.get("/where")
    def where():
        return {
            "mount": name,
            "url": url_for("where", _external=True),
            "prefix": request.script_root,
            "client": request.remote_addr,
        }

    @app.get("/jump")
    def jump():
        return redirect(url_for("where"))

    @app.get("/leap")
    def leap():
        return redirect(url_for("where", _external=True))

    return app


root, admin, guarded = make("root"), make("admin"), make("guarded")
