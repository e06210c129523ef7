"""A chat: a FastAPI application with a page, a WebSocket and an API with its documentation."""
