"""Applications that start a server while they are imported: `check` ends, the others serve, and the line is named."""

from __future__ import annotations

import pytest

STARTING = {
    "shop": "from flask import Flask\napp = Flask(__name__)\napp.run(port=0)\n",
    "debugged": "from flask import Flask\napp = Flask(__name__)\napp.run(debug=True, port=0)\n",
    "api": "import uvicorn\nasync def app(scope, receive, send): ...\nuvicorn.run(app, port=0)\n",
}
MODES = [
    pytest.param((), id="development"),
    pytest.param(("--production", "--workers", "1"), id="production"),
]


@pytest.fixture
def composition(write, hello, tmp_path):
    write("front.py", hello("front"))
    for name, source in STARTING.items():
        write(f"{name}.py", source)
    write("multiserve.toml", '[mounts]\n"/" = "front"\n' + "".join(f'"/{name}" = "{name}:app"\n' for name in STARTING))
    return tmp_path


def test_check_ends_and_names_the_lines(start, composition):
    checking = start("check", cwd=composition)
    assert checking.wait() == 3
    calls = {"shop": "app.run()", "debugged": "app.run()", "api": "uvicorn.run()"}
    for name, call in calls.items():
        assert (
            f"FAILED  /{name}{' ' * (9 - len(name))} {name}:app\n"
            f"        {composition}/{name}.py, line 3, starts a server ({call}) while it is imported\n"
            '        Put it under if __name__ == "__main__":, which is skipped on import.\n'
        ) in checking.log


@pytest.mark.parametrize("mode", MODES)
def test_the_other_mounts_are_served(run, composition, mode):
    server = run(*mode).ready()
    assert server.get("/").text.startswith("front / by ")
    for name in STARTING:
        response = server.get(f"/{name}/")
        assert response.status == 503
        assert ("starts a server" in response.text) == (mode == ())
        assert f"{composition}/{name}.py, line 3, starts a server" in server.log
