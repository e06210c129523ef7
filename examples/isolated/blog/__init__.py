"""The Django project of the blog."""
