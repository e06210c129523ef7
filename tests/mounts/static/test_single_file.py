from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.mounts.static.single_file import SingleFile
from multiserve.probing import probe

CONTENT = b"User-agent: *"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere.txt").write_bytes(CONTENT)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "robots.txt").symlink_to("../elsewhere.txt")
    return tmp_path / "site" / "robots.txt"


def over_wsgi(file: SingleFile, path_info: str, method: str, headers: dict[str, str]) -> tuple[int, Any, bytes]:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "/robots.txt", "QUERY_STRING": ""}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = path_info
    started: list[Any] = []
    result = validator(file.wsgi)(environ, lambda status, items, _=None: started.append((status, items)))
    body = b"".join(result)
    result.close()
    return int(started[0][0][:3]), {name.lower(): value for name, value in started[0][1]}, body


def over_asgi(file: SingleFile, path_info: str, method: str, headers: dict[str, str]) -> tuple[int, Any, bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "root_path": "/robots.txt", "path": f"/robots.txt{path_info}"}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(file.asgi({**scope, "headers": pairs}, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, b"".join(each["body"] for each in sent[1:])


@pytest.mark.parametrize("ask", [over_wsgi, over_asgi])
@pytest.mark.parametrize(
    ("path_info", "method", "headers", "status", "body"),
    [
        pytest.param("", "GET", {}, 200, CONTENT, id="the file"),
        pytest.param("", "HEAD", {}, 200, b"", id="its head"),
        pytest.param("", "GET", {"Range": "bytes=0-3"}, 206, b"User", id="a range"),
        pytest.param("", "GET", {"If-None-Match": "*"}, 304, b"", id="unchanged"),
        pytest.param("/", "GET", {}, 404, b"Not Found: there is no such file.\n", id="a slash"),
        pytest.param("/x", "GET", {}, 404, b"Not Found: there is no such file.\n", id="a deeper path"),
        pytest.param("", "POST", {}, 405, b"Method Not Allowed: files can only be read.\n", id="another method"),
    ],
)
def test_one_file_answers_at_one_url(
    path: Path, ask: Callable[..., Any], path_info: str, method: str, headers: dict[str, str], status: int, body: bytes
) -> None:
    answered, told, received = ask(SingleFile(path, max_age=60), path_info, method, headers)
    assert (answered, received) == (status, body)
    if status == 200:
        assert told["content-type"] == "text/plain; charset=utf-8"
        assert told["cache-control"] == "public, max-age=60"


@pytest.mark.parametrize("kind", ["vanished", "folder", "fifo"])
def test_what_takes_its_place_is_not_served(path: Path, kind: str) -> None:
    file = SingleFile(path)
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    assert over_wsgi(file, "", "GET", {})[0] == 404


@pytest.mark.usefixtures("clean_process")
def test_a_mount_may_be_a_file(write_config: Callable[[str], Path], path: Path) -> None:
    text = '[mounts]\n"/robots.txt" = { file = "site/robots.txt" }\n"/none.txt" = { file = "site/none.txt" }'
    config = load_config(write_config(text))
    assert [mount.kind for mount in config.mounts] == ["file", "file"]
    composition = compose(config)
    (failed,) = composition.failures
    assert failed.error is not None
    (problem,) = failed.error.problems
    assert (problem.key, problem.message) == ('mounts."/none.txt"', f"there is no file {path.parent / 'none.txt'}")
    environ = {"PATH_INFO": "/robots.txt", "REQUEST_METHOD": "GET"}
    assert b"".join(composition.application(environ, lambda *_: None)) == CONTENT


@pytest.mark.usefixtures("clean_process")
def test_the_probe_asks_for_the_file_itself(write_config: Callable[[str], Path], path: Path) -> None:
    composition = compose(load_config(write_config('[mounts]\n"/robots.txt" = { file = "site/robots.txt" }')))
    (result,) = probe(composition)
    assert (result.url, result.status) == ("http://localhost:8000/robots.txt", 200)
