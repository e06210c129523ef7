"""A script of Streamlit is told from a module by what it calls; tests/end_to_end/test_objects.py runs a real one."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from multiserve.config.targets import parse_target
from multiserve.loading.modules import Failure
from multiserve.loading.streamlit_script import Scripts, script_of

SCRIPT = "import streamlit as st\nst.title('Sales')\n"

TARGETS = [
    pytest.param("sales.py", SCRIPT, True, id="a script"),
    pytest.param("sales.py", "from streamlit import write\nif True:\n    write('x')\n", True, id="in a statement"),
    pytest.param("sales", SCRIPT, False, id="a module"),
    pytest.param("sales.py:st", SCRIPT, False, id="an attribute"),
    pytest.param("sales.py", "import flask\napp = flask.Flask('x')\n", False, id="an application"),
    pytest.param("sales.py", f"{SCRIPT}def create_app(): ...\n", False, id="a factory"),
    pytest.param("sales.py", "import streamlit\napp = streamlit.App('x.py')\n", False, id="an application of its own"),
    pytest.param("sales.py", "import streamlit as st\ndef show():\n    st.write('x')\n", True, id="in a function"),
    pytest.param("sales.py", "import streamlit as st\nst.title(\n", False, id="no Python"),
    pytest.param("other.py", SCRIPT, False, id="no file"),
]


@pytest.mark.parametrize(("target", "source", "is_script"), TARGETS)
def test_what_is_a_script(tmp_path: Path, target: str, source: str, is_script: bool) -> None:
    (tmp_path / "sales.py").write_text(source, "utf-8")
    assert script_of(parse_target(target), tmp_path) == (tmp_path / "sales.py" if is_script else None)


def test_a_process_runs_one_script(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.SimpleNamespace(App=lambda script: ["App", script])
    monkeypatch.setitem(sys.modules, "streamlit.starlette", module)
    scripts = Scripts()
    made = scripts.application_of(Path("sales.py"))
    assert made == ["App", Path("sales.py")]
    assert scripts.application_of(Path("sales.py")) is made
    with pytest.raises(Failure) as failed:
        scripts.application_of(Path("stock.py"))
    assert str(failed.value) == "stock.py is a second script of Streamlit, and a process can run only one"
    assert failed.value.hint == "Make it a page of the first one, in a folder called pages, or use st.navigation."


def test_without_a_release_that_has_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamlit.starlette", None)
    with pytest.raises(Failure) as failed:
        Scripts().application_of(Path("sales.py"))
    message = "sales.py is a script of Streamlit, which cannot be imported with its ASGI application"
    assert str(failed.value) == message
    assert failed.value.hint == "Install a release that has streamlit.starlette: pip install -U streamlit."
