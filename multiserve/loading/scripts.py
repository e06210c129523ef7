"""Scripts as targets, which their frameworks run anew for each visitor: those of Streamlit, Shiny Express and Panel."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from multiserve.config.targets import Target
from multiserve.loading.modules import USUAL_APPLICATIONS, USUAL_FACTORIES, Failure
from multiserve.mounts.redirects import with_slash_asgi
from multiserve.mounts.stripping import strip_asgi
from multiserve.python_source.scripts import kind_of_script
from multiserve.python_source.source import PythonSource


class Script(NamedTuple):
    """A file, and the framework that runs it."""

    kind: str
    file: Path


def script_of(target: Target, folder: Path) -> Script | None:
    """Return the script that a target names; None for a target that is imported like any other."""
    if not target.file or target.attribute or target.section:
        return None
    file = folder / target.file
    try:
        source = PythonSource(file, file.read_text("utf-8"), folder)
    except (OSError, SyntaxError, ValueError):  # importing it says what is wrong
        return None
    names = source.module_bindings()
    if any(name in names for name in (*USUAL_APPLICATIONS, *USUAL_FACTORIES)):
        return None
    kind = kind_of_script(source)
    return Script(kind, file) if kind else None


class Scripts:
    """Makes the application of each script once, however often it is mounted."""

    def __init__(self) -> None:
        """Start without a script."""
        self._made: dict[Script, Any] = {}

    def application_of(self, script: Script) -> Any:
        """Return the application of a script.

        Raises:
            Failure: Its framework cannot serve it.
        """
        if script not in self._made:
            if script.kind == "Streamlit" and any(other.kind == "Streamlit" for other in self._made):
                message = f"{script.file.name} is a second script of Streamlit, and a process can run only one"
                hint = "Make it a page of the first one, in a folder called pages, or use st.navigation."
                raise Failure(message, hint)
            self._made[script] = _MAKERS[script.kind](script.file)
        return self._made[script]


def _streamlit(file: Path) -> Any:
    hint = "Install a release that has streamlit.starlette: pip install -U streamlit."
    return _import("streamlit.starlette", f"{file.name} is a script of Streamlit", hint).App(file)


def _shiny_express(file: Path) -> Any:
    hint = "Install a release that has shiny.express: pip install -U shiny."
    return _import("shiny.express", f"{file.name} is a script of Shiny Express", hint).wrap_express_app(file.absolute())


def _panel(file: Path) -> Any:
    """Add the script to an application of FastAPI, which Panel can do beside its own server, Tornado's.

    The paths in its pages are relative, and wrong by one level for each slash in a prefix that it sees.
    """
    hint = "Type pip install panel bokeh-fastapi."
    serve = _import("panel.io.fastapi", f"{file.name} is a script of Panel", hint)
    application = importlib.import_module("fastapi").FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    serve.add_applications({"/": str(file.absolute())}, app=application)
    return with_slash_asgi(strip_asgi(application))


def _import(module: str, what: str, hint: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Failure(f"{what}, which cannot be imported with its ASGI application", hint) from error


_MAKERS: dict[str, Callable[[Path], Any]] = {
    "Streamlit": _streamlit,
    "Shiny Express": _shiny_express,
    "Panel": _panel,
}
