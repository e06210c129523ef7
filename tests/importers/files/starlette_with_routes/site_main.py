import contextlib
from pathlib import Path

from chat import app as chat
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent


@contextlib.asynccontextmanager
async def lifespan(app):
    yield


async def home(request):
    return PlainTextResponse(f"home {request.scope.get('root_path')}")


app = Starlette(
    routes=[
        Route("/", home),
        Route("/chat/rules", home),
        Mount("/chat", chat),
        Mount("/u/{user}", chat),
        Mount("/static", StaticFiles(directory=HERE / "static", html=True)),
    ],
    lifespan=lifespan,
)
