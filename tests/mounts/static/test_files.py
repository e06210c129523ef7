from __future__ import annotations

import io
import mimetypes
import os
from pathlib import Path

import pytest

from multiserve.mounts.static.files import Blocks, Folder, choose_coding, content_type, is_asset, respond


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.html", "text/html"),
        ("PAGE.HTM", "text/html"),
        ("app.js", "text/javascript"),
        ("app.mjs", "text/javascript"),
        ("app.js.map", "application/json"),
        ("style.css", "text/css"),
        ("module.wasm", "application/wasm"),
        ("photo.webp", "image/webp"),
        ("photo.avif", "image/avif"),
        ("logo.svg", "image/svg+xml"),
        ("text.woff2", "font/woff2"),
        ("site.webmanifest", "application/manifest+json"),
        ("film.mp4", "video/mp4"),
        ("data.json", "application/json"),
        ("backup.tar.gz", "application/gzip"),
        ("backup.tgz", "application/gzip"),
        ("app.js.br", "application/octet-stream"),
        ("unknown.xyz", "application/octet-stream"),
        ("LICENSE", "application/octet-stream"),
        (".html", "application/octet-stream"),
        ("data:,x.html", "text/html"),
    ],
)
def test_the_type_of_a_name(name: str, kind: str) -> None:
    assert content_type(name) == kind


def test_the_types_do_not_depend_on_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mimetypes.types_map, ".html", "text/x-system")
    assert content_type("page.html") == "text/html"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", False),
        ("users", False),
        ("john.doe", False),
        ("v1.2", False),
        ("page.html", False),
        ("page.xhtml", False),
        ("app.js", True),
        ("photo.PNG", True),
        ("app.css.gz", True),
        ("robots.txt", True),
        ("data.json", True),
    ],
)
def test_what_is_clearly_no_page(name: str, expected: bool) -> None:
    assert is_asset(name) is expected


@pytest.mark.parametrize(
    ("codings", "accepted", "expected"),
    [
        ([], "br", ""),
        (["gzip"], "br", ""),
        (["gzip", "br"], "gzip, br", "br"),
        (["gzip", "zstd"], "gzip, zstd", "zstd"),
        (["gzip", "br"], "gzip, br;q=0.9", "gzip"),
        (["gzip"], "gzip;q=0", ""),
        (["gzip"], "*;q=0.5, identity", ""),
        (["gzip"], "*;q=0.5, identity;q=0.1", "gzip"),
    ],
)
def test_the_coding_that_a_client_likes_best(codings: list[str], accepted: str, expected: str) -> None:
    assert choose_coding(codings, accepted) == expected


@pytest.mark.parametrize(
    ("segments", "plain", "with_dots"),
    [
        (["a"], True, True),
        ([], True, True),
        (["a", ".b"], False, True),
        ([".a", "b"], False, True),
        (["..."], False, True),
        (["a..b", "c."], True, True),
        (["a", ""], False, False),
        (["."], False, False),
        (["a", ".."], False, False),
        (["a\\b"], False, False),
        (["a\0"], False, False),
        (["a\n"], False, False),
        (["a\x9f"], False, False),
        (["\udcff"], True, True),
    ],
)
def test_which_paths_may_be_asked_for(tmp_path: Path, segments: list[str], plain: bool, with_dots: bool) -> None:
    assert Folder(tmp_path, dot_files=False).allows(segments) is plain
    assert Folder(tmp_path, dot_files=True).allows(segments) is with_dots


@pytest.mark.parametrize("segments", [["..", "secret"], ["a", "..", "..", "secret"], ["/secret"]])
def test_the_folder_is_never_left_even_by_a_path_that_is_not_allowed(tmp_path: Path, segments: list[str]) -> None:
    (tmp_path / "site" / "a").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"")
    assert Folder(tmp_path / "site", dot_files=True).find(segments) is None


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.txt").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    folder = Folder(Path("site"), dot_files=False)
    monkeypatch.chdir("/")
    assert folder.find(["a.txt"]) is not None


@pytest.mark.parametrize("kind", ["vanished", "folder", "fifo"])
def test_what_takes_the_place_of_a_file_in_between_is_not_served(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    found = Folder(tmp_path, dot_files=False).find(["a.txt"])
    assert found is not None
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    assert respond(found, {"REQUEST_METHOD": "GET"}, name="a.txt", coding="") is None


def test_the_length_is_that_of_the_file_that_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    found = Folder(tmp_path, dot_files=False).find(["a.txt"])
    assert found is not None
    path.write_bytes(b"longer")
    response = respond(found, {"REQUEST_METHOD": "GET"}, name="a.txt", coding="")
    assert response is not None
    assert (response.content_length, b"".join(response.response)) == (6, b"longer")
    response.close()


def test_blocks_share_their_memory(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abcdefg")
    blocks = Blocks(io.FileIO(tmp_path / "a.txt"), 3)
    first = next(blocks)
    assert bytes(first) == b"abc"
    assert bytes(next(blocks)) == b"def"
    assert first == b"def"
    assert [bytes(block) for block in blocks] == [b"g"]
    blocks.close()
