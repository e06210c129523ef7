from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from multiserve.mounts.static import files
from multiserve.mounts.static.files import Folder, choose_coding

PATIENCE = 30.0  # seconds


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
    assert Folder(tmp_path / "site", dot_files=True).open(segments) is None


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.txt").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    folder = Folder(Path("site"), dot_files=False)
    monkeypatch.chdir("/")
    found = folder.open(["a.txt"])
    assert found is not None
    found.close()


@pytest.fixture(params=["beneath an open folder", "by comparison"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The way on POSIX, and the one where files cannot be opened relative to an open folder, as on Windows."""
    if request.param == "by comparison":
        monkeypatch.setattr(files, "_OPENS_BENEATH", False)
        monkeypatch.setattr(files, "_FILE", files._FILE & ~os.O_NOFOLLOW)  # noqa: SLF001 (there is none on Windows)
    return request.param


def content_of(folder: Folder, *segments: str) -> bytes | None:
    found = folder.open(segments)
    if found is None or found.file is None:
        return None
    with found.file:
        return found.file.readall()


@pytest.mark.parametrize(
    ("link", "target", "plain", "with_dots"),
    [
        pytest.param("a.txt", "b.txt", b"b", b"b", id="a file"),
        pytest.param("sub", "folder", None, None, id="a folder"),
        pytest.param("env", ".env", None, b"secret", id="a hidden file"),
        pytest.param("git", ".git/config", None, b"secret", id="a file in a hidden folder"),
        pytest.param("out", "../outside", None, None, id="a file outside"),
        pytest.param("near", "../site-2", None, None, id="a file beside whose name begins alike"),
        pytest.param("self", "self", None, None, id="itself"),
    ],
)
@pytest.mark.usefixtures("way")
def test_a_link_leads_only_to_what_is_served_anyway(
    tmp_path: Path, link: str, target: str, plain: bytes | None, with_dots: bytes | None
) -> None:
    site = tmp_path / "site"
    for name in ("folder", ".git"):
        (site / name).mkdir(parents=True)
    for name, content in {"b.txt": b"b", "folder/c.txt": b"c", ".env": b"secret", ".git/config": b"secret"}.items():
        (site / name).write_bytes(content)
    for name in ("outside", "site-2"):
        (tmp_path / name).write_bytes(b"secret")
    (site / link).symlink_to(target)
    assert content_of(Folder(site, dot_files=False), link) == plain
    assert content_of(Folder(site, dot_files=True), link) == with_dots
    if link == "sub":
        assert content_of(Folder(site, dot_files=False), "sub", "c.txt") == b"c"


@pytest.mark.usefixtures("way")
def test_nothing_outside_is_served_while_a_file_is_swapped_for_a_link(tmp_path: Path) -> None:
    site, place = tmp_path / "site", tmp_path / "site" / "a.txt"
    site.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "public").write_bytes(b"public")
    place.write_bytes(b"public")

    def swap() -> None:
        (tmp_path / "link").symlink_to("../secret")
        (tmp_path / "link").replace(place)
        (tmp_path / "file").hardlink_to(tmp_path / "public")
        (tmp_path / "file").replace(place)

    assert contents_during(swap, site, "a.txt") == {b"public", None}


def test_nothing_outside_is_served_while_a_folder_is_swapped_for_a_link(tmp_path: Path) -> None:
    site, place, kept = tmp_path / "site", tmp_path / "site" / "folder", tmp_path / "kept"
    place.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_bytes(b"secret")
    (place / "a.txt").write_bytes(b"public")

    def swap() -> None:
        place.rename(kept)
        place.symlink_to("../outside")
        place.unlink()
        kept.rename(place)

    assert contents_during(swap, site, "folder", "a.txt") == {b"public", None}


def contents_during(swap: Callable[[], None], site: Path, *segments: str) -> set[bytes | None]:
    """Read a file again and again while another thread swaps it, until both states were met often enough."""
    ended = threading.Event()

    def swap_on() -> None:
        while not ended.is_set():
            swap()

    folder = Folder(site, dot_files=False)
    seen: Counter[bytes | None] = Counter()
    with ThreadPoolExecutor(1) as pool:
        swapping = pool.submit(swap_on)
        deadline = time.monotonic() + PATIENCE
        try:
            while min(seen[b"public"], seen[None]) < 1000 and time.monotonic() < deadline:
                seen[content_of(folder, *segments)] += 1
        finally:
            ended.set()
        swapping.result()
    return set(seen)


@pytest.mark.parametrize("kind", ["folder", "fifo", "socket"])
@pytest.mark.usefixtures("way")
def test_what_is_no_file_is_found_but_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    if kind == "folder":
        Path("a").mkdir()
    elif kind == "fifo":
        os.mkfifo("a")
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "socket":
            listener.bind("a")
        found = Folder(tmp_path, dot_files=False).open(["a"])
    assert found is not None
    assert (found.file, found.is_folder) == (None, kind == "folder")


@pytest.mark.usefixtures("way")
def test_the_folder_itself_is_found(tmp_path: Path) -> None:
    found = Folder(tmp_path, dot_files=False).open([])
    assert found is not None
    assert found.is_folder


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_may_not_be_listed_may_still_be_served(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"b")
    (tmp_path / "a").chmod(0o100)
    try:
        assert content_of(Folder(tmp_path, dot_files=False), "a", "b.txt") == b"b"
    finally:
        (tmp_path / "a").chmod(0o700)


def test_the_content_is_that_of_the_file_that_was_opened(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    found = Folder(tmp_path, dot_files=False).open(["a.txt"])
    assert found is not None
    assert found.file is not None
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").write_bytes(b"longer")
    with found.file:
        assert (found.status.st_size, found.file.readall()) == (1, b"a")
