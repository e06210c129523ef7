"""One module for each way to serve; each is given what loads the application, never an application."""
