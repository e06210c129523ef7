from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from multiserve.mounts.static.files import FileFound, Folder
from multiserve.mounts.static.responses import BLOCK, REUSES_MEMORY, Blocks, FileShrankError, respond


def found_at(path: Path) -> FileFound:
    found = Folder(path.parent, dot_files=False).open([path.name])
    assert found is not None
    return found


def test_blocks_may_share_their_memory(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a" * BLOCK + b"b" * BLOCK + b"c")
    blocks = Blocks(io.FileIO(tmp_path / "a.txt"), range(2 * BLOCK + 1), reuses_memory=True)
    first = next(blocks)
    assert bytes(first) == b"a" * BLOCK
    assert bytes(next(blocks)) == b"b" * BLOCK
    assert first == b"b" * BLOCK
    assert [bytes(block) for block in blocks] == [b"c"]
    blocks.close()


@pytest.mark.parametrize("reuses_memory", [True, False], ids=["in the same memory", "anew"])
@pytest.mark.parametrize("left", [0, 10, BLOCK, BLOCK + 10], ids=str)
def test_a_file_that_shrinks_while_it_is_sent_is_an_error(tmp_path: Path, left: int, reuses_memory: bool) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * (3 * BLOCK))
    started: list[Any] = []
    environ = {"REQUEST_METHOD": "GET", REUSES_MEMORY: reuses_memory}
    response: Any = respond(found_at(path), environ, name="a.bin", coding="")(environ, lambda *a: started.append(a))
    with path.open("r+b") as file:
        file.truncate(left)
    received: list[int] = []
    with pytest.raises(FileShrankError) as raised:
        received.extend(map(len, response))
    assert str(raised.value) == f"a file became {3 * BLOCK - left} bytes shorter while it was sent"
    response.close()
    assert (started[0][0], sum(received)) == ("200 OK", left)


def test_a_small_file_that_has_shrunk_is_an_error_before_the_response_begins(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    found, started = found_at(path), []
    path.write_bytes(b"a")
    environ = {"REQUEST_METHOD": "GET"}
    with pytest.raises(FileShrankError, match=r"^a file became 2 bytes shorter while it was sent$"):
        respond(found, environ, name="a.txt", coding="")(environ, lambda *a: started.append(a))
    assert started == []
    assert found.file is not None
    assert found.file.closed


def test_a_file_that_has_grown_is_sent_as_long_as_was_said(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    found = found_at(path)
    path.write_bytes(b"abcdef")
    environ = {"REQUEST_METHOD": "GET"}
    assert respond(found, environ, name="a.txt", coding="")(environ, lambda *_: None) == [b"abc"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, "200 OK", id="all"),
        pytest.param({"HTTP_RANGE": "bytes=0-0"}, "206 Partial Content", id="a range"),
        pytest.param({"HTTP_IF_NONE_MATCH": "*"}, "304 Not Modified", id="unchanged"),
        pytest.param({"HTTP_IF_MATCH": '"x"'}, "412 Precondition Failed", id="changed"),
        pytest.param({"HTTP_RANGE": "bytes=9-"}, "416 Range Not Satisfiable", id="no such range"),
    ],
)
def test_the_status_line(tmp_path: Path, headers: dict[str, str], status: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    environ = {"REQUEST_METHOD": "GET", **headers}
    started: list[str] = []
    respond(found_at(tmp_path / "a.txt"), environ, name="a.txt", coding="")(
        environ, lambda line, _: started.append(line)
    )
    assert started == [status]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.svg", "image/svg+xml; charset=utf-8"),
        ("a.xml", "text/xml; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.png", "image/png"),
    ],
)
def test_a_text_says_how_it_is_encoded(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"abc")
    environ = {"REQUEST_METHOD": "GET"}
    started: list[tuple[str, str]] = []
    respond(found_at(tmp_path / name), environ, name=name, coding="")(
        environ, lambda _, headers: started.extend(headers)
    )
    assert dict(started)["Content-Type"] == kind
