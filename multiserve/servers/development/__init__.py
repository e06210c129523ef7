"""The development server: werkzeug, with a reloader whose parent holds the socket."""
