"""The production server: gunicorn, embedded, and what it is taught about readiness and reloads."""
