"""Where modules are found: what a missing name was meant to be, and which module hides another one of its name."""

from __future__ import annotations

import difflib
import os
import pkgutil
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from multiserve.tracebacks import is_foreign

_SAME_NAME = frozenset({
    "aiohttp", "asgiref", "bottle", "celery", "channels", "dash", "django", "falcon", "fastapi", "flask", "gevent",
    "gradio", "httpx", "jinja2", "litestar", "markdown", "numpy", "pandas", "panel", "plotly", "psycopg", "pydantic",
    "pydantic_settings", "pyramid", "quart", "redis", "requests", "sanic", "shiny", "sqlalchemy", "sqlmodel",
    "starlette", "streamlit", "tornado", "werkzeug", "whitenoise",
})  # fmt: skip
_OTHER_NAMES = {
    "bs4": "beautifulsoup4", "corsheaders": "django-cors-headers", "cv2": "opencv-python",
    "dateutil": "python-dateutil", "debug_toolbar": "django-debug-toolbar", "decouple": "python-decouple",
    "dotenv": "python-dotenv", "environ": "django-environ", "flask_cors": "flask-cors", "flask_login": "flask-login",
    "flask_sqlalchemy": "flask-sqlalchemy", "jwt": "PyJWT", "MySQLdb": "mysqlclient", "multipart": "python-multipart",
    "PIL": "Pillow", "psycopg2": "psycopg2-binary", "rest_framework": "djangorestframework", "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}  # fmt: skip


def where_to_look(missing: str, rest: str = "", *, by: str = "it") -> str:
    """Return what to do about a module that is not there.

    Args:
        missing: The dotted name.
        rest: What follows it where it was asked for, such as `.main`.
        by: What the sentence calls the module.
    """
    package, _, last = missing.rpartition(".")
    parent = sys.modules.get(package)
    paths = list(getattr(parent, "__path__", [])) if package else sys.path
    names = {found.name for found in pkgutil.iter_modules(paths)}
    cutoff = 0.6 if package else 0.8  # the search path has hundreds of names, and some are always a little alike
    same = [name for name in names if name.lower() == last.lower()]
    if near := same or difflib.get_close_matches(last, names, n=1, cutoff=cutoff):
        return f'Did you mean "{package + "." if package else ""}{near[0]}{rest}"?'
    if parent:
        kind = "package" if hasattr(parent, "__path__") else "module"
        return f'The {kind} "{package}" is there, but nothing in it is called "{last}".'
    if distribution := _OTHER_NAMES.get(missing, missing.replace("_", "-") if missing in _SAME_NAME else ""):
        return f'Install the package "{distribution}" into {sys.prefix}, where multiserve runs.'
    return f"Install the package that has {by}, or add the folder that has it to pythonpath."


def own_file(name: str, module: ModuleType | None, folder: Path) -> Path | None:
    """Return the file of the user that was meant by a name, if the module of this name is another one.

    Args:
        name: The dotted name of a module.
        module: The module that was found, or the package that its name begins with; None if there is none.
        folder: The folder of the configuration; the search path is looked at as well.
    """
    if module is None:
        return None
    found = getattr(module, "__file__", None)
    for path in dict.fromkeys((str(folder), *sys.path)):
        if not path or is_foreign(path + os.sep):
            continue
        place = Path(path, *name.split("."))
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                same = found is not None and Path(found).exists() and file.samefile(found)
                return None if same else file
    return None


def hidden_module(name: str, file: str) -> str:
    """Return the file of an installed module that a file of the user hides; empty if it hides none."""
    if "." in name or is_foreign(file):
        return ""
    path = Path(file)
    holder = (path.parent.parent if path.name == "__init__.py" else path.parent).resolve()
    spec = PathFinder.find_spec(name, [each for each in sys.path if Path(each or ".").resolve() != holder])
    return spec.origin if spec and spec.origin and is_foreign(spec.origin) else ""
