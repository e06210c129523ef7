"""In which Python file the settings of an application are expected: Django's module of settings, Flask's own module."""

from __future__ import annotations

import sys

from multiserve.frameworks.facts import Facts
from multiserve.frameworks.reading import is_a, known


def settings_file(facts: Facts) -> str:
    """Return the path of the file; empty where it is not known, or is in another process."""
    name = ""
    if facts.framework == "Django" and "django.conf" in sys.modules:
        name = facts.settings_module or ""
    elif is_a(facts.application, "flask.app", "Flask"):
        name = known(lambda: str(facts.application.import_name), "")
    path = getattr(sys.modules.get(name), "__file__", None)
    return path if isinstance(path, str) and path.endswith(".py") else ""
