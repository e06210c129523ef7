"""A small Django project: nothing but the Django admin."""
