"""gunicorn's ASGI protocol as both servers use it."""
