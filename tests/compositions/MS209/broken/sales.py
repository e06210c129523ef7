import mailkit
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

mailkit.api_key = "key of sales"


async def index(request):
    return PlainTextResponse(f"{mailkit.count_messages('sales')} messages")


app = Starlette(routes=[Route("/", index)])
