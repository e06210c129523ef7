"""Which mount answers a URL, what handles it inside the application, and the list of all routes."""
