import mailkit
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

client = mailkit.Client("key of sales")


async def index(request):
    return PlainTextResponse(f"{client.count_messages('sales')} messages")


app = Starlette(routes=[Route("/", index)])
