"""Mounts that hand requests and WebSockets on to another server."""
