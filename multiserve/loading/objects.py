"""From the objects that the users of a framework have, such as a `Dash` or a `FastMCP`, to their applications."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from multiserve.loading.paste_file import PasteSections
from multiserve.loading.streamlit_script import Scripts


def _dash(found: Any) -> Any:
    """Return the server, whose interface can be seen: Dash itself can be called with anything."""
    return found.server


def _gradio(found: Any) -> Any:
    """Mount the interface in an application of FastAPI, which Gradio brings, as its documentation does."""
    application = importlib.import_module("fastapi").FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    return importlib.import_module("gradio").mount_gradio_app(application, found, path="/")


# By the module and the name of the class.
_APPLICATIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("dash.dash", "Dash"): _dash,
    ("fastmcp.server.server", "FastMCP"): lambda found: found.http_app(),
    ("gradio.blocks", "Blocks"): _gradio,
    ("mcp.server.fastmcp.server", "FastMCP"): lambda found: found.streamable_http_app(),
    ("mcp.server.mcpserver.server", "MCPServer"): lambda found: found.streamable_http_app(),
}


class Objects:
    """Makes the application of each object once, however often it is mounted: most of them have one lifespan.

    Attributes:
        scripts: Those of Streamlit, which are no objects, but have an application, too.
        sections: Those of files of PasteDeploy, likewise.
    """

    def __init__(self) -> None:
        """Start without any application."""
        self.scripts = Scripts()
        self.sections = PasteSections()
        self._made: dict[int, tuple[Any, Any]] = {}  # keeps the object alive, so that its id is not reused

    def application_of(self, found: Any) -> Any:
        """Return the application of an object of a known class; anything else is returned as it is."""
        make = next((make for each in type(found).__mro__ if (make := _APPLICATIONS.get(_name_of(each)))), None)
        if make is None:
            return found
        if id(found) not in self._made:
            self._made[id(found)] = (found, make(found))
        return self._made[id(found)][1]


def _name_of(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__
