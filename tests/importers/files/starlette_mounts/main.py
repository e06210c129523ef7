import uvicorn
from chat import app as chat
from chat import make_app
from starlette.applications import Starlette
from starlette.routing import Host, Mount
from starlette.staticfiles import StaticFiles

news = make_app("news")

routes = [
    Mount("/chat", app=chat),
    Mount(
        "/v1",
        routes=[
            Mount("/news", news, name="news"),
            Mount("/old", make_app("old")),
        ],
    ),
    Host("api.example.com", app=make_app("api")),
    Mount("/static", app=StaticFiles(directory="static"), name="static"),
    Mount("/", app=make_app("root")),
]

app = Starlette(debug=True, routes=routes)

if __name__ == "__main__":
    uvicorn.run("main:app", host="0.0.0.0", port=9000, reload=True)
