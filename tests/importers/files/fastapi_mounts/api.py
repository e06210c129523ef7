from a2wsgi import WSGIMiddleware
from chat import make_app
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from storefront import app as storefront

app = FastAPI(docs_url=None)
admin = FastAPI()


@app.get("/items")
def items():
    return []


@admin.get("/users")
def users():
    return []


app.mount("/admin", admin)
app.mount("/chat", make_app("chat"))
app.mount("/shop", WSGIMiddleware(storefront))
app.mount("/packaged", StaticFiles(packages=["shop"]))


@app.get("/chat/late")
def late():
    return "hidden"
