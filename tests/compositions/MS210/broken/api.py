from fastapi import FastAPI
from fastapi.responses import HTMLResponse

app = FastAPI(docs_url=None, servers=[{"url": "/"}], root_path_in_servers=False)
PAGE = """<title>The API</title>
<script>
    SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs" });
    const socket = new WebSocket("ws://" + location.host + "/changes");
</script>
<redoc spec-url="openapi.json"></redoc>
"""


@app.get("/", response_class=HTMLResponse, include_in_schema=False)
async def index():
    return PAGE


@app.get("/items")
async def items():
    return [3]


@app.websocket("/changes")
async def changes(socket):
    await socket.accept()
