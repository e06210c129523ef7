"""A small Django project: a guestbook and the Django admin."""
