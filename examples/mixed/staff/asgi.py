"""The ASGI application of the Django project."""

import os
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.core.files import locks
from django.core.management import call_command
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "staff.settings")

application = get_asgi_application()


def prepare_database() -> None:
    """Migrate the database and create the user "demo", one process at a time."""
    with settings.DATABASE.with_suffix(".lock").open("w") as lock:
        locks.lock(lock, locks.LOCK_EX)
        call_command("migrate", verbosity=0)
        users = get_user_model().objects
        if not users.exists():
            users.create_superuser("demo", password=os.environ.get("EXAMPLE_PASSWORD", "demo"))
    connections.close_all()


# For the demo only, so that one command shows everything: a real site migrates when it is deployed.
# In a thread, because some servers import applications inside their event loop, where Django
# refuses to touch a database.
with ThreadPoolExecutor(1) as thread:
    thread.submit(prepare_database).result()
