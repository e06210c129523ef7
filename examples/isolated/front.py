"""The front page: links to all the others."""

from importlib.metadata import version

from flask import Flask

app = Flask(__name__)

PAGES = {
    "/shop/": "Django: the shop",
    "/blog/": "Django: the blog",
    "/old/": "Flask 2, in another virtual environment",
    "/stock/": "Streamlit: the stock",
    "/sales/": "Streamlit: the sales",
    "/page/": "Vite",
}


@app.get("/")
def home() -> str:
    """Link to all pages."""
    links = "".join(f'<li><a href="{url}">{text}</a>' for url, text in PAGES.items())
    return f"<!doctype html><title>Front</title><h1>Front</h1><p>Flask {version('flask')}<ul>{links}</ul>"
