from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve.assembly import assemble, create_app, may_refuse, refuse_failures
from multiserve.config import load_config
from multiserve.errors import ConfigError, LoadError

APP = """
import os
made = []
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}|{os.environ.get('COLOUR')}".encode()]
def create_app(name):
    made.append(name)
    return lambda environ, start_response: app(environ, start_response)
async def asgi(scope, receive, send): ...
"""

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def write(write_config: Callable[[str], Path]) -> Callable[[str], Path]:
    """Write a configuration beside a module of applications."""

    def write_both(text: str) -> Path:
        path = write_config(text)
        path.with_name("assembled.py").write_text(APP)
        return path

    return write_both


def get(application: Callable[..., list[bytes]], path: str) -> str:
    return b"".join(application({"PATH_INFO": path, "SCRIPT_NAME": ""}, lambda *_: lambda _: None)).decode()


def test_the_mounts_become_one_application(write: Callable[[str], Path]) -> None:
    app = create_app(write('[mounts]\n"/" = "assembled:app"\n"/admin" = "assembled:create_app(prefix)"'))
    assert get(app, "/x") == "|/x|None"
    assert get(app, "/admin/x") == "/admin|/x|None"
    assert sys.modules["assembled"].made == ["/admin"]


def test_the_configuration_is_found_by_the_variable(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTISERVE_CONFIG", str(write('[mounts]\n"/" = "assembled:app"')))
    assert get(create_app(), "/") == "|/|None"


def test_env_is_set_before_the_first_import_and_what_is_set_already_wins(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIZE", "mine")
    monkeypatch.delenv("COLOUR", raising=False)
    config = load_config(
        write('[mounts]\n"/" = "assembled:app"\n[env]\nCOLOUR = "from the file"\nSIZE = "from the file"')
    )
    assembly = assemble(config, environment={"COLOUR": "a default", "SHAPE": "a default"})
    assert get(assembly.application, "/") == "|/|from the file"
    assert (os.environ["SIZE"], os.environ["SHAPE"]) == ("mine", "a default")


def test_the_folder_of_the_file_is_searched_first_and_once(write: Callable[[str], Path]) -> None:
    path = write('pythonpath = ["more"]\n[mounts]\n"/" = "assembled:app"')
    (path.parent / "more").mkdir()
    config = load_config(path)
    assemble(config)
    assemble(config)
    assert sys.path[:2] == [str(path.parent), str(path.parent / "more")]
    assert sys.path.count(str(path.parent)) == 1


BROKEN = """
[mounts]
"/" = "assembled:app"
"/typo" = "assembled:ap"
"/asgi" = "assembled:asgi"
"""


ASGI_REFUSED = (
    'mounts."/asgi": "assembled:asgi" is an ASGI application, which this version cannot mount\n'
    "    Mount a WSGI application here."
)


def test_one_broken_mount_does_not_take_the_others_down(write: Callable[[str], Path]) -> None:
    assembly = assemble(load_config(write(BROKEN)))
    refuse_failures(assembly)
    assert [(str(loaded.mount.key), loaded.interface) for loaded in assembly.mounts] == [
        ("/", "wsgi"),
        ("/typo", None),
        ("/asgi", None),
    ]
    assert [str(loaded.error) for loaded in assembly.failures] == [
        'mounts."/typo": "assembled" has no "ap"\n    Did you mean "app"?',
        ASGI_REFUSED,
    ]
    assert get(assembly.application, "/x") == "|/x|None"
    assert get(assembly.application, "/typo/x") == (
        "Service Unavailable: the application at /typo could not be loaded.\n"
    )


def test_development_shows_clients_why(write: Callable[[str], Path]) -> None:
    assembly = assemble(load_config(write(BROKEN.replace('"/" = "assembled:app"\n', ""))), development=True)
    assert get(assembly.application, "/typo") == (
        "Service Unavailable: the application at /typo could not be loaded.\n\n"
        'mounts."/typo": "assembled" has no "ap"\n    Did you mean "app"?\n'
    )
    assert get(assembly.application, "/") == (
        "Not Found: no mount answers this URL.\n\nThe mounts are:\n    /typo\n    /asgi\n"
    )


STRICTNESS = [
    pytest.param(BROKEN, False, False, id="one failure is served around"),
    pytest.param(f"{BROKEN}[server]\nstrict = true", True, True, id="strict refuses any failure"),
    pytest.param(
        '[mounts]\n"/" = "assembled:app"\n"/typo" = { app = "assembled:ap", required = true }', True, True,
        id="a required mount refuses its own failure",
    ),
    pytest.param(
        '[mounts]\n"/" = { app = "assembled:app", required = true }\n"/typo" = "assembled:ap"', True, False,
        id="a required mount does not refuse the failure of another",
    ),
    pytest.param('[mounts]\n"/typo" = "assembled:ap"', False, True, id="nothing is left to serve"),
    pytest.param('[mounts]\n"/" = "assembled:app"\n[server]\nstrict = true', True, False, id="strict without failure"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "may", "refused"), STRICTNESS)
def test_some_failures_keep_a_server_from_starting(
    write: Callable[[str], Path], text: str, may: bool, refused: bool
) -> None:
    config = load_config(write(text))
    assembly = assemble(config)
    assert may_refuse(config) is may
    if refused:
        with pytest.raises(LoadError) as caught:
            refuse_failures(assembly)
        assert 'mounts."/typo"' in str(caught.value)
    else:
        refuse_failures(assembly)


def test_create_app_refuses_a_wrong_file(write: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError):
        create_app(write('[mounts]\nadmin = "assembled:app"'))
    with pytest.raises(LoadError):
        create_app(write('[mounts]\n"/" = "assembled:ap"'))
