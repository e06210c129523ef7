"""The engine of both servers: uvicorn's protocol classes in one event loop, without uvicorn's own server."""
