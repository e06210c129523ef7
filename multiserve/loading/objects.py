"""From the objects that the users of a framework have, such as a `Dash` or a `FastMCP`, to their applications."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from multiserve.loading.modules import Failure
from multiserve.loading.paste_file import PasteSections
from multiserve.loading.scripts import Scripts

_NICEGUI = ("nicegui.app.app", "App")


def _dash(found: Any) -> Any:
    """Return the server, whose interface can be seen: Dash itself can be called with anything."""
    return found.server


def _gradio(found: Any) -> Any:
    """Mount the interface in an application of FastAPI, which Gradio brings, as its documentation does."""
    application = importlib.import_module("fastapi").FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    return importlib.import_module("gradio").mount_gradio_app(application, found, path="/")


def _marimo(found: Any) -> Any:
    """Serve the file of a notebook: its object knows nothing of servers."""
    return importlib.import_module("marimo").create_asgi_app().with_app(path="", root=found._filename).build()  # noqa: SLF001 (nothing else has the file)


def _nicegui(found: Any) -> Any:
    """Run NiceGUI with an application of FastAPI, which it brings: its own one starts only below `ui.run`."""
    application = importlib.import_module("fastapi").FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if found.config.has_run_config:
        message = "NiceGUI runs in another application already"
        raise Failure(message, "Mount the one that ui.run_with was called with.")
    importlib.import_module("nicegui").ui.run_with(application, show_welcome_message=False)
    return application


# By the module and the name of the class.
_APPLICATIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("dash.dash", "Dash"): _dash,
    ("fastmcp.server.server", "FastMCP"): lambda found: found.http_app(),
    ("gradio.blocks", "Blocks"): _gradio,
    ("marimo._ast.app", "App"): _marimo,
    ("mcp.server.fastmcp.server", "FastMCP"): lambda found: found.streamable_http_app(),
    ("mcp.server.mcpserver.server", "MCPServer"): lambda found: found.streamable_http_app(),
    _NICEGUI: _nicegui,
}


class Objects:
    """Makes the application of each object once, however often it is mounted: most of them have one lifespan.

    Attributes:
        scripts: Those of Streamlit and the like, which are no objects, but have an application, too.
        sections: Those of files of PasteDeploy, likewise.
    """

    def __init__(self) -> None:
        """Start without any application."""
        self.scripts = Scripts()
        self.sections = PasteSections()
        self._names: dict[int, str] = {}
        self._made: dict[int, tuple[Any, Any]] = {}  # keeps the object alive, so that its id is not reused

    def application_of(self, found: Any, name: str = "") -> Any:
        """Return the application of an object of a known class; anything else is returned as it is.

        Args:
            found: The object.
            name: Where it was found, as `module:attribute`.

        Raises:
            Failure: It would be a second application where its framework has one for each process.
        """
        make = next((make for each in type(found).__mro__ if (make := _APPLICATIONS.get(_name_of(each)))), None)
        if make is None:
            return found
        if id(found) not in self._made:
            self._made[id(found)] = (found, make(found))
            self._names[id(found)] = name
        first = self._names[id(found)]
        if first != name and make is _nicegui:
            message = f'NiceGUI has one application in a process, which is mounted as "{first}" already'
            raise Failure(message, f'Import the pages of "{name}" there, or serve them by a multiserve of their own.')
        return self._made[id(found)][1]


def _name_of(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__
