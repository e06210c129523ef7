from chat import make_app
from middleware import ASGIWord
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.wsgi import WSGIMiddleware
from starlette.routing import Mount
from storefront import app as storefront


async def on_start():
    print("starting")


app = Starlette(
    routes=[Mount("/a", make_app("a")), Mount("/shop", WSGIMiddleware(storefront))],
    middleware=[Middleware(ASGIWord, word="first"), Middleware(ASGIWord, word="second")],
    on_startup=[on_start],
)
