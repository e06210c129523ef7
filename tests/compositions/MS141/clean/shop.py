from litestar import Litestar, get


@get("/")
async def home() -> str:
    return "shop"


app = Litestar([home], allowed_hosts=["shop.example.com"], logging_config=None, openapi_config=None)
