"""Scripts of Streamlit as targets: they are not imported but run anew by Streamlit's own ASGI application."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

from multiserve.config.targets import Target
from multiserve.loading.modules import USUAL_APPLICATIONS, USUAL_FACTORIES, Failure
from multiserve.python_source.source import PythonSource


def script_of(target: Target, folder: Path) -> Path | None:
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
    calls = (node for statement in source.tree.body for node in ast.walk(statement) if isinstance(node, ast.Call))
    return file if any(source.dotted(call.func).startswith("streamlit.") for call in calls) else None


class Scripts:
    """Makes the application of the one script that Streamlit can run in a process."""

    def __init__(self) -> None:
        """Start without a script."""
        self._made: dict[Path, Any] = {}

    def application_of(self, script: Path) -> Any:
        """Return the application of a script, which is made once.

        Raises:
            Failure: Streamlit cannot serve it.
        """
        if script not in self._made:
            if self._made:
                message = f"{script.name} is a second script of Streamlit, and a process can run only one"
                raise Failure(
                    message, "Make it a page of the first one, in a folder called pages, or use st.navigation."
                )
            try:
                make = importlib.import_module("streamlit.starlette").App
            except ImportError as error:
                message = f"{script.name} is a script of Streamlit, which cannot be imported with its ASGI application"
                raise Failure(
                    message, "Install a release that has streamlit.starlette: pip install -U streamlit."
                ) from error
            self._made[script] = make(script)
        return self._made[script]
