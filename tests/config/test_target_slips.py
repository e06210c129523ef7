"""What a text that is not a target was meant to be."""

from __future__ import annotations

import pytest

from multiserve.config.target_slips import what_was_meant


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("web app", 'Write "web:app".', id="a space"),
        pytest.param("web.py create_app('x')", "Write \"web.py:create_app('x')\".", id="a space behind a file"),
        pytest.param("web::app", 'Write "web:app".', id="two colons"),
        pytest.param("shop/web.py::app", 'Write "shop/web.py:app".', id="two colons behind a file"),
        pytest.param(":app", 'Write the module in front: "module:app".', id="no module"),
        pytest.param("web.create_app()", 'Write "web:create_app()".', id="a dot before a call"),
        pytest.param("from web import app", 'Write "web:app".', id="an import"),
        pytest.param("uvicorn web.main:app --reload", 'Write "web.main:app" alone.', id="a command"),
        pytest.param("python -m x shop/web.py --port 1", 'Write "shop/web.py" alone.', id="a command with a file"),
        pytest.param("shop/web:app", 'Write the path of the file: "shop/web.py:app".', id="a path without its ending"),
        pytest.param("shop\\web:app", 'Write the path of the file: "shop/web.py:app".', id="a path of Windows"),
        pytest.param("my-app:app", 'Write the path of the file: "my-app.py:app".', id="a dash"),
        pytest.param("my-app", 'Write the path of the file: "my-app.py".', id="a dash alone"),
        pytest.param(
            "http://localhost:5173", 'Write { redirect = "http://localhost:5173" } to send browsers there.', id="URL"
        ),
        pytest.param("site/robots.txt", 'Write { file = "site/robots.txt" } for a file.', id="a file"),
        pytest.param("privacy-note.html", 'Write { file = "privacy-note.html" } for a file.', id="a page"),
        pytest.param(
            "./static/",
            'Write "./static.py" for a Python file, or { static = "./static" } for a folder of files.',
            id="a folder",
        ),
        pytest.param("/admin", None, id="a path of a URL"),
        pytest.param("web:create_app(", None, id="a call without its end"),
        pytest.param("web@app", None, id="anything else"),
    ],
)
def test_the_nearest_target_is_written_out(text, hint):
    assert what_was_meant(text) == hint
