from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import urllib.parse
from collections.abc import Callable
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.mounts.static.folder import StaticFolder
from multiserve.mounts.static.responses import BLOCK

BIG = bytes(range(256)) * (3 * BLOCK // 256) + b"the end"
SECRET = b"SECRET"
OLD, NEW = 1_600_000_000, 1_700_000_000
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
FILES = {
    "index.html": b"<h1>Home</h1>",
    "app.js": b"let everything = 1",
    "app.js.br": b"<br>",
    "app.js.zst": b"<zst>",
    "app.js.gz": b"<gz>",
    "stale.css": b"new {}",
    "stale.css.gz": b"<old>",
    "half.css": b"half {}",
    "half.css.br": b"<old br>",
    "half.css.gz": b"<new gz>",
    "big.bin": BIG,
    "empty.txt": b"",
    "linked.css": b"linked {}",
    "data.tar.gz": b"archive",
    "name with % and #?.txt": b"odd",
    "café.txt": "café".encode(),
    ".env": SECRET,
    ".git/config": SECRET,
    "docs/index.html": b"<h1>Docs</h1>",
    "docs/.index.html": SECRET,
    "assets/app.3f2a.js": b"hashed",
    "no-index/x.txt": b"x",
    "shell.html": b"<h1>Shell</h1>",
    "co:lon/index.html": b"colon",
}


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def short(value: object) -> str:
    return repr(value)[:40]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("static")
    folder = base / "site"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (NEW, NEW))
    for name in ("stale.css.gz", "half.css.br"):
        os.utime(folder / name, (OLD, OLD))
    (base / "secret.txt").write_bytes(SECRET)
    (base / "outside").mkdir()
    (base / "outside" / "index.html").write_bytes(SECRET)
    (base / "outside" / "back.txt").symlink_to(folder / "app.js")
    (base / "outside" / "back.txt.br").write_bytes(SECRET)
    (base / "site-2").mkdir()
    (base / "site-2" / "index.html").write_bytes(SECRET)
    for name, target in {
        "inside.js": "app.js",
        "inside-folder": "docs",
        "out.txt": "../secret.txt",
        "out": "../outside",
        "neighbour": "../site-2",
        "absolute.txt": str(base / "secret.txt"),
        "circle": "circle",
        "dangling": "nowhere",
        "empty.txt.br": "../secret.txt",
        "linked.css.gz": "app.js.gz",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "fifo")
    os.mkfifo(folder / "app.css")
    (folder / "\udcff.txt").write_bytes(b"no UTF-8")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket has to be short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
    (base / "link").symlink_to("site")
    return folder


def over_wsgi(static: StaticFolder, path: str, method: str, headers: dict[str, str], root: str, query: str) -> Response:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": root.encode("utf-8", "surrogateescape").decode("latin-1"),
        "PATH_INFO": path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": query,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    setup_testing_defaults(environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []
    result = validator(static.wsgi)(environ, lambda status, headers, _=None: started.append((status, headers)))
    try:
        body = b"".join(result)
    finally:
        result.close()
    ((status, items),) = started
    assert len({name.lower() for name, _ in items}) == len(items)
    return Response(int(status[:3]), {name.lower(): value for name, value in items}, body)


class Client:
    """The server's side of one ASGI request."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def response(self) -> Response:
        start, *parts = self.sent
        assert [part["more_body"] for part in parts if "more_body" in part] in ([], [True] * (len(parts) - 1) + [False])
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Response(start["status"], headers, b"".join(part["body"] for part in parts))


def scope(path: str, method: str = "GET", headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": pairs, **more}


def over_asgi(static: StaticFolder, path: str, method: str, headers: dict[str, str], root: str, query: str) -> Response:
    async def ask() -> Response:
        client = Client()
        asked = scope(root + path, method, headers, root_path=root, query_string=query.encode("latin-1"))
        await asyncio.wait_for(static.asgi(asked, client.receive, client.send), 10)
        return client.response

    return asyncio.run(ask())


def get(
    static: StaticFolder,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    *,
    root: str = "/static",
    query: str = "",
) -> Response:
    """Ask over both interfaces, whose answers have to be the same."""
    wsgi = over_wsgi(static, path, method, headers or {}, root, query)
    if not any("\udc80" <= character <= "\udcff" for character in path):
        assert over_asgi(static, path, method, headers or {}, root, query) == wsgi
    return wsgi


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", b"<h1>Home</h1>"),
        ("/index.html", "text/html; charset=utf-8", b"<h1>Home</h1>"),
        ("/app.js", "text/javascript; charset=utf-8", b"let everything = 1"),
        ("/docs/", "text/html; charset=utf-8", b"<h1>Docs</h1>"),
        ("/empty.txt", "text/plain; charset=utf-8", b""),
        ("/big.bin", "application/octet-stream", BIG),
        ("/data.tar.gz", "application/gzip", b"archive"),
        ("/app.js.gz", "application/gzip", b"<gz>"),
        ("/name with % and #?.txt", "text/plain; charset=utf-8", b"odd"),
        ("/café.txt", "text/plain; charset=utf-8", "café".encode()),
        ("/\udcff.txt", "text/plain; charset=utf-8", b"no UTF-8"),
        ("/inside.js", "text/javascript; charset=utf-8", b"let everything = 1"),
        ("/inside-folder/", "text/html; charset=utf-8", b"<h1>Docs</h1>"),
    ],
    ids=short,
)
def test_a_file_is_served_with_its_type(site: Path, path: str, kind: str, body: bytes) -> None:
    response = get(StaticFolder(site), path)
    assert response.status == 200
    assert response.body == body
    assert response.headers["content-type"] == kind
    assert response.headers["content-length"] == str(len(body))
    assert "content-encoding" not in response.headers


def test_the_headers_of_a_file_are_these_alone(site: Path) -> None:
    assert get(StaticFolder(site), "/docs/").headers == {
        "content-type": "text/html; charset=utf-8",
        "content-length": "13",
        "last-modified": formatdate(NEW, usegmt=True),
        "etag": f'"{NEW * 10**9:x}-d"',
        "accept-ranges": "bytes",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
    }


def test_the_folder_may_be_a_link_that_is_switched(site: Path, tmp_path: Path) -> None:
    current = tmp_path / "current"
    current.symlink_to(site)
    static = StaticFolder(current)
    assert get(static, "/inside.js").status == 200
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "a.txt").write_bytes(b"a")
    (tmp_path / "release" / "b.txt").symlink_to("a.txt")
    (tmp_path / "release" / "c.txt").symlink_to(site / "app.js")
    current.unlink()
    current.symlink_to("release")
    assert [get(static, f"/{name}.txt").status for name in "abc"] == [200, 200, 404]


MISSING = [
    "/missing.txt",
    "/app.js/",
    "/app.js/index.html",
    "/no-index/",
    "/no-index",
    "/DOCS/",
    "//",
    "//app.js",
    "/docs//index.html",
    "/./app.js",
    "/docs/.",
    "/docs/..",
    "/docs/../app.js",
    "/../secret.txt",
    "/..",
    "/..\\secret.txt",
    "/docs\\index.html",
    "/app.js\x00",
    "/app.js\n",
    "/\x7f",
    "/\x85",
    "/.env",
    "/.git/config",
    "/.git/",
    "/docs/.index.html",
    "/out.txt",
    "/out",
    "/out/",
    "/out/index.html",
    "/out/back.txt.br",
    "/neighbour/",
    "/neighbour/index.html",
    "/absolute.txt",
    "/circle",
    "/circle/",
    "/dangling",
    "/fifo",
    "/app.css",
    "/socket",
    "/" + "x" * 5000,
    "/" + "x/" * 5000,
]


@pytest.mark.parametrize("path", MISSING, ids=short)
@pytest.mark.parametrize("fallback", ["", "shell.html"], ids=["alone", "with a fallback"])
def test_there_is_no_other_file(site: Path, path: str, fallback: str) -> None:
    response = get(StaticFolder(site, fallback=fallback), path)
    assert (response.status, response.body) == (404, b"Not Found: there is no such file.\n")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("path", "status"), [("/.env", 200), ("/.git/config", 200), ("/./.env", 404), ("/..", 404)])
def test_dot_files_are_served_where_that_is_said(site: Path, path: str, status: int) -> None:
    assert get(StaticFolder(site, dot_files=True), path).status == status


@pytest.mark.parametrize(
    ("root", "path", "query", "location"),
    [
        ("/static", "", "", "./static/"),
        ("/a/b", "", "x=1&y=%2F", "./b/?x=1&y=%2F"),
        ("/static", "/docs", "a=b?c/d", "./docs/?a=b?c/d"),
        ("", "/docs", "", "./docs/"),
        ("/static", "/inside-folder", "", "./inside-folder/"),
        ("/static", "/co:lon", "\xe4\r\n <", "./co:lon/?%E4%0D%0A%20%3C"),
        ("/café", "", "", "./caf%C3%A9/"),
    ],
)
def test_a_folder_without_its_slash_is_redirected(site: Path, root: str, path: str, query: str, location: str) -> None:
    response = get(StaticFolder(site), path, root=root, query=query)
    assert response.status == 308
    assert response.headers["location"] == location
    assert response.headers["cache-control"] == "no-cache"
    assert urllib.parse.urljoin(f"http://a{root}{path}", location).split("?")[0] == (
        f"http://a{urllib.parse.quote(root + path, safe='/:')}/"
    )


def test_the_root_of_a_host_needs_no_redirect(site: Path) -> None:
    assert get(StaticFolder(site), "", root="").body == b"<h1>Home</h1>"


def test_the_index_may_have_another_name(site: Path) -> None:
    static = StaticFolder(site, index="x.txt")
    assert get(static, "/no-index/").body == b"x"
    assert get(static, "/docs/").status == get(static, "/docs").status == get(static, "").status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", ["/app.js", "/missing", "/docs", "/.env"])
def test_files_can_only_be_read(site: Path, path: str, method: str) -> None:
    response = get(StaticFolder(site, fallback="shell.html"), path, method, BROWSER)
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/app.js", "/big.bin", "/empty.txt", "/docs/", "/docs", "/missing", "/new/page"])
@pytest.mark.parametrize("headers", [{}, BROWSER, {"Accept-Encoding": "br"}], ids=["plain", "browser", "br"])
def test_head_is_get_without_the_body(site: Path, path: str, headers: dict[str, str]) -> None:
    static = StaticFolder(site, fallback="shell.html")
    whole = get(static, path, "GET", headers)
    assert get(static, path, "HEAD", headers) == (whole.status, whole.headers, b"")


def test_head_has_no_ranges(site: Path) -> None:
    response = get(StaticFolder(site), "/big.bin", "HEAD", {"Range": "bytes=0-1"})
    assert (response.status, response.headers["content-length"]) == (200, str(len(BIG)))


@pytest.mark.parametrize(
    ("wanted", "status", "content_range", "body"),
    [
        ("bytes=0-9", 206, f"bytes 0-9/{len(BIG)}", BIG[:10]),
        ("bytes=100-", 206, f"bytes 100-{len(BIG) - 1}/{len(BIG)}", BIG[100:]),
        ("bytes=-7", 206, f"bytes {len(BIG) - 7}-{len(BIG) - 1}/{len(BIG)}", b"the end"),
        (f"bytes={BLOCK - 1}-{BLOCK}", 206, f"bytes {BLOCK - 1}-{BLOCK}/{len(BIG)}", BIG[BLOCK - 1 : BLOCK + 1]),
        (f"bytes=5-{2 * BLOCK}", 206, f"bytes 5-{2 * BLOCK}/{len(BIG)}", BIG[5 : 2 * BLOCK + 1]),
        (f"bytes={len(BIG)}-", 416, f"bytes */{len(BIG)}", b"Range Not Satisfiable: the file has no such range.\n"),
        (f"bytes=-{len(BIG) + 1}", 206, f"bytes 0-{len(BIG) - 1}/{len(BIG)}", BIG),
        (f"bytes=-{'9' * 5000}", 206, f"bytes 0-{len(BIG) - 1}/{len(BIG)}", BIG),
        (f"bytes=5-{'9' * 5000}", 206, f"bytes 5-{len(BIG) - 1}/{len(BIG)}", BIG[5:]),
        (f"bytes={'9' * 5000}-", 416, f"bytes */{len(BIG)}", b"Range Not Satisfiable: the file has no such range.\n"),
        ("bytes=0-1,5-6", 200, None, BIG),
        ("bytes=5-2", 200, None, BIG),
        ("bytes=x", 200, None, BIG),
        ("bytes=", 200, None, BIG),
        ("lines=0-9", 200, None, BIG),
    ],
    ids=short,
)
def test_a_range(site: Path, wanted: str, status: int, content_range: str | None, body: bytes) -> None:
    response = get(StaticFolder(site), "/big.bin", headers={"Range": wanted})
    assert (response.status, response.headers.get("content-range")) == (status, content_range)
    assert response.body == body
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("If-None-Match", "{etag}", 304),
        ("If-None-Match", "W/{etag}", 304),
        ("If-None-Match", '"other", {etag}', 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", '"other"', 200),
        ("If-Modified-Since", "{date}", 304),
        ("If-Modified-Since", formatdate(OLD, usegmt=True), 200),
        ("If-Modified-Since", "nonsense", 200),
        ("If-Match", "{etag}", 200),
        ("If-Match", '"other"', 412),
        ("If-Match", "*", 200),
        ("If-Match", "W/{etag}", 412),
        ("If-Unmodified-Since", "{date}", 200),
        ("If-Unmodified-Since", formatdate(OLD, usegmt=True), 412),
        ("If-Range", "{etag}", 206),
        ("If-Range", "W/{etag}", 200),
        ("If-Range", "*", 200),
        ("If-Range", "{date}", 206),
        ("If-Range", formatdate(OLD, usegmt=True), 200),
        ("If-Range", formatdate(2**31, usegmt=True), 200),
        ("If-Range", '"other"', 200),
    ],
)
def test_a_conditional_request(site: Path, name: str, value: str, status: int) -> None:
    static = StaticFolder(site)
    first = get(static, "/big.bin")
    value = value.format(etag=first.headers["etag"], date=first.headers["last-modified"])
    wanted = {"Range": "bytes=0-9"} if name == "If-Range" else {}
    response = get(static, "/big.bin", headers={name: value} | wanted)
    assert response.status == status
    bodies = {200: BIG, 206: BIG[:10], 304: b"", 412: b"Precondition Failed: the file is another one by now.\n"}
    assert response.body == bodies[status]
    if status == 304:
        assert response.headers == {
            "etag": first.headers["etag"],
            "accept-ranges": "bytes",
            "cache-control": "no-cache",
            "x-content-type-options": "nosniff",
        }


@pytest.mark.parametrize("mtime", [-5, 0, 2**33], ids=["before 1970", "1970", "the future"])
def test_a_clock_that_was_wrong_does_no_harm(tmp_path: Path, mtime: int) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    os.utime(tmp_path / "a.txt", (mtime, mtime))
    response = get(StaticFolder(tmp_path), "/a.txt")
    assert response.status == 200
    assert 0 <= parsedate_to_datetime(response.headers["last-modified"]).timestamp() <= 2**32


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        (None, None, b"let everything = 1"),
        ("", None, b"let everything = 1"),
        ("deflate", None, b"let everything = 1"),
        ("gzip", "gzip", b"<gz>"),
        ("GZIP", "gzip", b"<gz>"),
        ("zstd", "zstd", b"<zst>"),
        ("gzip, deflate, br, zstd", "br", b"<br>"),
        ("gzip, zstd", "zstd", b"<zst>"),
        ("br;q=0.5, gzip;q=0.8", "gzip", b"<gz>"),
        ("br;q=0, gzip;q=0", None, b"let everything = 1"),
        ("br;q=0, *", "zstd", b"<zst>"),
        ("*", "br", b"<br>"),
        ("*;q=0", None, b"let everything = 1"),
        ("identity, gzip;q=0.5", None, b"let everything = 1"),
        ("identity;q=0.5, gzip", "gzip", b"<gz>"),
        ("gzip;q=nonsense", None, b"let everything = 1"),
    ],
)
def test_a_compressed_sibling_is_served_where_it_is_accepted(
    site: Path, accepted: str | None, coding: str | None, body: bytes
) -> None:
    response = get(StaticFolder(site), "/app.js", headers={} if accepted is None else {"Accept-Encoding": accepted})
    assert (response.status, response.body) == (200, body)
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["content-length"] == str(len(body))


def test_each_sibling_has_its_own_validator_and_its_own_ranges(site: Path) -> None:
    static = StaticFolder(site)
    every = [get(static, "/app.js", headers={"Accept-Encoding": coding}) for coding in ("", "br", "zstd", "gzip")]
    etags = [response.headers["etag"] for response in every]
    assert len(set(etags)) == 4
    headers = {"Accept-Encoding": "br", "If-None-Match": etags[1]}
    assert get(static, "/app.js", headers=headers).status == 304
    assert get(static, "/app.js", headers=headers).headers["vary"] == "Accept-Encoding"
    assert get(static, "/app.js", headers=headers | {"If-None-Match": etags[0]}).status == 200
    part = get(static, "/app.js", headers={"Accept-Encoding": "br", "Range": "bytes=1-2"})
    assert (part.status, part.body, part.headers["content-encoding"]) == (206, b"br", "br")


@pytest.mark.parametrize(
    ("path", "body", "varies"),
    [
        ("/stale.css", b"new {}", False),
        ("/half.css", b"<new gz>", True),
        ("/empty.txt", b"", False),
        ("/linked.css", b"<gz>", True),
    ],
    ids=["older", "one older, one not", "a link that leads out", "a link that stays inside"],
)
def test_a_sibling_that_is_older_or_leads_out_is_not_used(site: Path, path: str, body: bytes, varies: bool) -> None:
    response = get(StaticFolder(site), path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert (response.body, "vary" in response.headers) == (body, varies)


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/app.js", {}, "no-cache"),
        ("/app.js", {"max_age": 60}, "public, max-age=60"),
        ("/app.js", {"max_age": 0}, "public, max-age=0"),
        ("/app.js", {"immutable": ["assets/*"]}, "no-cache"),
        ("/assets/app.3f2a.js", {"immutable": ["assets/*"]}, "public, max-age=31536000, immutable"),
        (
            "/assets/app.3f2a.js",
            {"immutable": ["x", "*.????.js"], "max_age": 60},
            "public, max-age=31536000, immutable",
        ),
        ("/assets/app.3f2a.js", {"immutable": ["app.????.js"]}, "public, max-age=31536000, immutable"),
        ("/assets/app.3f2a.js", {"immutable": ["APP.*", "assets", "*.j"], "max_age": 60}, "public, max-age=60"),
    ],
)
def test_how_long_a_file_may_be_kept(site: Path, path: str, options: dict[str, Any], expected: str) -> None:
    assert get(StaticFolder(site, **options), path).headers["cache-control"] == expected


@pytest.mark.parametrize(
    ("path", "headers", "is_page"),
    [
        ("/new/page", BROWSER, True),
        ("/new/page/", BROWSER, True),
        ("/no-index/", BROWSER, True),
        ("/users/john.doe", BROWSER, True),
        ("/v1.2", BROWSER, True),
        ("/old.html", BROWSER, True),
        ("/old.XHTML", BROWSER, True),
        ("/missing", {"Accept": "TEXT/HTML;level=1;q=0.1"}, True),
        ("/missing", {}, False),
        ("/missing", {"Accept": "*/*"}, False),
        ("/missing", {"Accept": "text/*"}, False),
        ("/missing", {"Accept": "application/json"}, False),
        ("/missing", {"Accept": "text/html;q=0, */*"}, False),
        ("/missing", BROWSER | {"Sec-Fetch-Mode": "cors"}, False),
        ("/missing", BROWSER | {"Sec-Fetch-Mode": "no-cors"}, False),
        ("/missing.js", BROWSER, False),
        ("/assets/missing.3f2a.css", BROWSER, False),
        ("/missing.map", BROWSER, False),
        ("/missing.PNG", BROWSER, False),
        ("/missing.tar.gz", BROWSER, False),
        ("/.git/config", BROWSER, False),
        ("/a/../b", BROWSER, False),
        ("/a//b", BROWSER, False),
    ],
)
def test_the_fallback_answers_navigations_alone(site: Path, path: str, headers: dict[str, str], is_page: bool) -> None:
    response = get(StaticFolder(site, fallback="shell.html", max_age=60), path, headers=headers)
    assert response.status == (200 if is_page else 404)
    is_missing_in_any_case = path in {"/missing.js", "/assets/missing.3f2a.css", "/missing.map", "/missing.PNG"} or (
        path in {"/missing.tar.gz", "/.git/config", "/a/../b", "/a//b"}
    )
    assert response.headers.get("vary") == (None if is_missing_in_any_case else "Accept, Sec-Fetch-Mode")
    if is_page:
        assert response.body == b"<h1>Shell</h1>"
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_the_fallback_in_compressed_form_varies_by_all_that_was_decided_by(site: Path) -> None:
    response = get(StaticFolder(site, fallback="app.js"), "/new", headers=BROWSER | {"Accept-Encoding": "br"})
    assert (response.body, response.headers["vary"]) == (b"<br>", "Accept, Sec-Fetch-Mode, Accept-Encoding")


@pytest.mark.parametrize("path", ["/docs", "", "/app.js", "/docs/"])
def test_what_is_there_is_not_answered_by_the_fallback(site: Path, path: str) -> None:
    assert get(StaticFolder(site, fallback="shell.html"), path, headers=BROWSER).body != b"<h1>Shell</h1>"


@pytest.mark.parametrize(
    ("fallback", "status"), [("docs/index.html", 200), ("missing.html", 404), ("docs", 404), ("out/index.html", 404)]
)
def test_the_fallback_may_stand_deeper_but_in_the_folder(site: Path, fallback: str, status: int) -> None:
    assert get(StaticFolder(site, fallback=fallback), "/new", headers=BROWSER).status == status


@pytest.mark.parametrize("path", ["*", "app.js", "https://example.com/app.js"])
def test_a_path_without_a_slash_in_front_is_no_file(site: Path, path: str) -> None:
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path}
    statuses: list[str] = []
    result = StaticFolder(site).wsgi(environ, lambda status, _: statuses.append(status))
    assert (statuses, list(result)) == (["404 Not Found"], [b"Not Found: there is no such file.\n"])


def test_a_websocket_is_refused(site: Path) -> None:
    async def connect() -> list[dict[str, Any]]:
        client = Client()
        client.gone.set()
        await StaticFolder(site).asgi({"type": "websocket", "path": "/app.js"}, client.receive, client.send)
        return client.sent

    assert asyncio.run(connect()) == [{"type": "websocket.close"}]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """List the descriptors of the files that are opened from here on."""
    descriptors: list[int] = []
    before = os.open

    def remember(*args: Any, **more: Any) -> int:
        descriptor = before(*args, **more)
        descriptors.append(descriptor)
        return descriptor

    monkeypatch.setattr(os, "open", remember)
    return descriptors


def are_closed(descriptors: list[int]) -> bool:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.fstat(descriptor)
            return False
    return bool(descriptors)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Range": "bytes=1-2"}, {"Range": "bytes=-0"}, {"If-None-Match": "*"}, {"If-Match": '"other"'}],
    ids=["all", "range", "no such range", "unchanged", "changed"],
)
@pytest.mark.parametrize("ask", [over_wsgi, over_asgi])
def test_the_file_is_closed(
    site: Path, opened: list[int], ask: Callable[..., Response], headers: dict[str, str], method: str
) -> None:
    ask(StaticFolder(site), "/big.bin", method, headers, "", "")
    assert are_closed(opened)


def test_a_file_that_cannot_be_read_or_has_vanished_is_missing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: Any, **__: Any) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    static = StaticFolder(site, fallback="shell.html")
    assert get(static, "/app.js").status == get(static, "/docs/", headers=BROWSER).status == 404


NAMES = [name for path in FILES for name in path.split("/")] + [
    "out",
    "out.txt",
    "secret.txt",
    "circle",
    "fifo",
    "socket",
]
PIECES = st.sampled_from([*NAMES, "/", "//", "..", ".", "%2e", "\\", "\0", "~", "\udcff", "é", "\x80", ":", " "])
PATHS = st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join) | st.lists(PIECES, max_size=6).map("/".join)
HEADERS = st.dictionaries(
    st.sampled_from(["Accept", "Accept-Encoding", "Range", "If-None-Match", "If-Range", "If-Modified-Since"]),
    st.sampled_from(["*", "gzip, br", "bytes=0-2", "bytes=9-", "text/html", '"x"', "a;q=x", ""]) | st.text("=-,;*q0é"),
)


@given(PATHS, HEADERS, st.sampled_from(["GET", "HEAD", "PUT"]), st.booleans(), st.sampled_from(["", "shell.html"]))
def test_no_path_gives_a_byte_from_outside_or_raises(
    site: Path, path: str, headers: dict[str, str], method: str, dot_files: bool, fallback: str
) -> None:
    static = StaticFolder(site, fallback=fallback, dot_files=dot_files)
    response = get(static, f"/{path}", method, headers)
    assert response.status in {200, 206, 304, 308, 404, 405, 412, 416}
    assert SECRET not in response.body or (dot_files and "/." in f"/{path}")
    if response.status in {200, 206} and response.body and b"Shell" not in response.body:
        assert not {"..", ".", ""} & set(f"/{path}".removesuffix("/").split("/")[1:])
