"""The first application of Quart's documentation."""

from quart import Quart, redirect, render_template_string, session, url_for

app = Quart(__name__)
app.secret_key = "a key of these pages alone"


@app.get("/")
async def home():
    session["visits"] = session.get("visits", 0) + 1
    return await render_template_string('<a href="{{ url_for("more") }}">More</a>')


@app.get("/more/")
async def more():
    return redirect(url_for("home"))
