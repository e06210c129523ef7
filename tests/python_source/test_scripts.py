"""Which framework runs a file as a script, by what it imports and calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.python_source.scripts import kind_of_script
from multiserve.python_source.source import PythonSource


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("import streamlit as st\nst.title('x')", "Streamlit", id="Streamlit"),
        pytest.param("import streamlit as st", "", id="Streamlit that is not called"),
        pytest.param("from shiny.express import ui\nui.h1('x')", "Shiny Express", id="Shiny Express"),
        pytest.param("from shiny import express", "Shiny Express", id="Shiny Express, the module"),
        pytest.param("import shiny.express as x", "Shiny Express", id="Shiny Express by another name"),
        pytest.param("from shiny import App, ui", "", id="Shiny without Express"),
        pytest.param("from .express import ui", "", id="a module of the user's own"),
        pytest.param("import panel as pn\npn.Row().servable()", "Panel", id="Panel"),
        pytest.param("from panel import Row\nRow().servable()", "Panel", id="a name from Panel"),
        pytest.param("import panel as pn\npn.serve(1)", "", id="Panel that starts its own server"),
        pytest.param("import panels\npanels.x.servable()", "", id="another package"),
        pytest.param("import flask", "", id="no script"),
    ],
)
def test_what_runs_a_script(text: str, kind: str) -> None:
    assert kind_of_script(PythonSource(Path("sales.py"), text, Path())) == kind
