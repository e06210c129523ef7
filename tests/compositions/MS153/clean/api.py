from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    app.state.items = ["one"]
    yield


inner = FastAPI(lifespan=lifespan)
app = FastAPI()
