from litestar import Litestar, get


@get("/")
async def home() -> str:
    return "shop"


app = Litestar([home], allowed_hosts=["www.example.com"], logging_config=None, openapi_config=None)
