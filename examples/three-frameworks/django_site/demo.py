"""What makes the demo work without a command before it."""

import os

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files import locks
from django.core.management import call_command
from django.db import connections


def prepare_database() -> None:
    """Migrate the database and create the user "demo", one process at a time."""
    with settings.DATABASE.with_suffix(".lock").open("w") as lock:
        locks.lock(lock, locks.LOCK_EX)
        call_command("migrate", verbosity=0)
        users = get_user_model().objects
        if not users.exists():
            users.create_superuser("demo", password=os.environ.get("EXAMPLE_PASSWORD", "demo"))
    # A server may fork after this, and an SQLite connection must not be carried across a fork.
    connections.close_all()
