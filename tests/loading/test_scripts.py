"""Scripts are told from modules by what they call and import; tests/end_to_end/test_objects.py runs real ones."""

from __future__ import annotations

import asyncio
import sys
import types
from pathlib import Path

import pytest

from multiserve.config.targets import parse_target
from multiserve.loading.modules import Failure
from multiserve.loading.scripts import Script, Scripts, script_of

SCRIPT = "import streamlit as st\nst.title('Sales')\n"

SALES = Script("Streamlit", Path("sales.py"))

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
    assert script_of(parse_target(target), tmp_path) == (
        Script("Streamlit", tmp_path / "sales.py") if is_script else None
    )


def test_a_process_runs_one_script(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.SimpleNamespace(App=lambda script: ["App", script])
    monkeypatch.setitem(sys.modules, "streamlit.starlette", module)
    scripts = Scripts()
    made = scripts.application_of(SALES)
    assert made == ["App", Path("sales.py")]
    assert scripts.application_of(SALES) is made
    with pytest.raises(Failure) as failed:
        scripts.application_of(Script("Streamlit", Path("stock.py")))
    assert str(failed.value) == "stock.py is a second script of Streamlit, and a process can run only one"
    assert failed.value.hint == "Make it a page of the first one, in a folder called pages, or use st.navigation."


def test_without_a_release_that_has_an_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamlit.starlette", None)
    with pytest.raises(Failure) as failed:
        Scripts().application_of(SALES)
    message = "sales.py is a script of Streamlit, which cannot be imported with its ASGI application"
    assert str(failed.value) == message
    assert failed.value.hint == "Install a release that has streamlit.starlette: pip install -U streamlit."


@pytest.mark.parametrize(
    ("kind", "module", "message", "hint"),
    [
        pytest.param(
            "Shiny Express",
            "shiny.express",
            "sales.py is a script of Shiny Express, which cannot be imported with its ASGI application",
            "Install a release that has shiny.express: pip install -U shiny.",
            id="Shiny",
        ),
        pytest.param(
            "Panel",
            "panel.io.fastapi",
            "sales.py is a script of Panel, which cannot be imported with its ASGI application",
            "Type pip install panel bokeh-fastapi.",
            id="Panel",
        ),
    ],
)
def test_without_the_package_of_a_script(monkeypatch, kind, module, message, hint) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(Failure) as failed:
        Scripts().application_of(Script(kind, Path("sales.py")))
    assert (str(failed.value), failed.value.hint) == (message, hint)


def test_a_process_runs_many_scripts_of_shiny(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.SimpleNamespace(wrap_express_app=lambda file: ["App", file])
    monkeypatch.setitem(sys.modules, "shiny.express", module)
    scripts = Scripts()
    one, other = (Script("Shiny Express", Path(name)) for name in ("sales.py", "stock.py"))
    assert scripts.application_of(one) == ["App", Path("sales.py").absolute()]
    assert scripts.application_of(other) == ["App", Path("stock.py").absolute()]
    assert scripts.application_of(one) is scripts.application_of(one)


def test_a_script_of_panel_sees_no_prefix_and_its_page_has_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    added, seen, sent = [], [], []

    async def application(scope, receive, send):
        seen.append((scope["root_path"], scope["path"]))

    async def send(message):
        sent.append(message)

    panel = types.SimpleNamespace(add_applications=lambda files, app: added.append((files, app)))
    monkeypatch.setitem(sys.modules, "panel.io.fastapi", panel)
    monkeypatch.setitem(sys.modules, "fastapi", types.SimpleNamespace(FastAPI=lambda **_: application))
    made = Scripts().application_of(Script("Panel", Path("sales.py")))
    assert added == [({"/": str(Path("sales.py").absolute())}, application)]
    for path in ("/in/sales/", "/in/sales"):
        scope = {"type": "http", "method": "GET", "root_path": "/in/sales", "path": path, "raw_path": path.encode()}
        asyncio.run(made({**scope, "query_string": b"", "headers": []}, None, send))
    assert seen == [("", "/")]
    assert (sent[0]["status"], dict(sent[0]["headers"])[b"location"]) == (308, b"./sales/")
