from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.upstreams import Upstream, UpstreamProblem, parse_upstream

FOLDER = Path("/srv/shop")
SHAPE = 'Write "http://127.0.0.1:5173", "https://example.com" or "unix:run/other.sock".'


@pytest.mark.parametrize(
    ("text", "expected", "shown"),
    [
        pytest.param(
            "http://127.0.0.1:5173",
            Upstream(host="127.0.0.1", port="5173"),
            "http://127.0.0.1:5173/a",
            id="an address and a port",
        ),
        pytest.param("http://LOCALHOST/", Upstream(host="localhost"), "http://localhost/a", id="a name alone"),
        pytest.param(
            "https://[::1]:8443",
            Upstream(scheme="https", host="[::1]", port="8443"),
            "https://[::1]:8443/a",
            id="an IPv6 address over TLS",
        ),
        pytest.param(
            "http://other:80/base/",
            Upstream(host="other", port="80", base="/base"),
            "http://other:80/base/a",
            id="a path",
        ),
        pytest.param(
            "unix:run/other.sock",
            Upstream(socket="/srv/shop/run/other.sock"),
            "unix:/srv/shop/run/other.sock:/a",
            id="a socket beside the file",
        ),
        pytest.param("unix:/run/o.sock", Upstream(socket="/run/o.sock"), "unix:/run/o.sock:/a", id="a socket"),
        pytest.param(
            "http://{app}.test:{port}",
            Upstream(host="{app}.test", port="{port}", names=("app", "port")),
            "http://{app}.test:{port}/a",
            id="placeholders",
        ),
    ],
)
def test_a_target_is_parsed(text: str, expected: Upstream, shown: str) -> None:
    found = parse_upstream(text, FOLDER)
    assert found == expected
    assert found.at("/a") == shown


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("", "the target is empty", SHAPE, id="nothing"),
        pytest.param(
            "127.0.0.1:5173", '"127.0.0.1:5173" has no scheme', 'Write "http://127.0.0.1:5173".', id="no scheme"
        ),
        pytest.param("//a:1", '"//a:1" has no scheme', 'Write "http://a:1".', id="a URL without its scheme"),
        pytest.param("5173", '"5173" has no scheme', 'Write "http://127.0.0.1:5173".', id="a port"),
        pytest.param("/run/a", '"/run/a" has no scheme', f'Write "unix:/run/a" for a socket. {SHAPE}', id="a path"),
        pytest.param("ws://a:1", "WebSockets need no target of their own", 'Write "http://a:1".', id="a WebSocket"),
        pytest.param("wss://a", "WebSockets need no target of their own", 'Write "https://a".', id="one over TLS"),
        pytest.param(
            "file:///srv/a",
            "a proxy reads no files",
            'Write { static = "folder" } or { file = "name" }.',
            id="a URL of a file",
        ),
        pytest.param("ftp://a", 'a proxy does not speak "ftp"', SHAPE, id="another scheme"),
        pytest.param("http://a b", "a URL has no spaces, backslashes or control characters", SHAPE, id="a space"),
        pytest.param("http://a\r\nX: 1", "a URL has no spaces, backslashes or control characters", SHAPE, id="a line"),
        pytest.param(
            "http://me:secret@a",
            "the target of a proxy has no user",
            "Leave it out: everything before the @, and the @.",
            id="a user",
        ),
        pytest.param(
            "http://a/?b",
            "a proxy keeps the query of the request, and has none of its own",
            "Leave it out.",
            id="a query",
        ),
        pytest.param(
            "http://a#b",
            "a proxy keeps the query of the request, and has none of its own",
            "Leave it out.",
            id="a fragment",
        ),
        pytest.param(
            "http://bücher.test",
            '"bücher.test" is not as clients send it',
            'Write the host in its "xn--" form.',
            id="a host beyond ASCII",
        ),
        pytest.param("http://", '"" is not a host', SHAPE, id="no host"),
        pytest.param("http://:80", '":80" is not a host', SHAPE, id="a port without a host"),
        pytest.param("http://a..b", '"a..b" is not a host', SHAPE, id="an empty label"),
        pytest.param("http://[::g]", '"[::g]" is not a host', SHAPE, id="no address"),
        pytest.param("http://::1:80", '"::1:80" is not a host', SHAPE, id="an address without brackets"),
        pytest.param("http://a:0", '"0" is not a port', "Write a number from 1 to 65535.", id="port 0"),
        pytest.param("http://a:70000", '"70000" is not a port', "Write a number from 1 to 65535.", id="a high port"),
        pytest.param("http://a:", '"" is not a port', "Write a number from 1 to 65535.", id="a colon alone"),
        pytest.param("http://a:x", '"x" is not a port', "Write a number from 1 to 65535.", id="a word for a port"),
        pytest.param(
            "http://a/b/../c",
            '"/b/../c" is not a path',
            "Escape what is not ASCII, and leave out // and dot segments.",
            id="dot segments",
        ),
        pytest.param(
            "http://a//b",
            '"//b" is not a path',
            "Escape what is not ASCII, and leave out // and dot segments.",
            id="two slashes",
        ),
        pytest.param(
            "http://a:{po",
            "a placeholder is a name in braces",
            'Write it as in the key, such as "{port}".',
            id="half a placeholder",
        ),
        pytest.param(
            "unix:",
            "there is no path of a socket",
            'Write "unix:run/other.sock" or "unix:/run/other.sock".',
            id="no socket",
        ),
        pytest.param(
            "unix://run/a.sock",
            "there is no path of a socket",
            'Write "unix:run/other.sock" or "unix:/run/other.sock".',
            id="a socket as a URL",
        ),
        pytest.param(
            f"unix:/{'a' * 107}",
            f"the path of the socket is longer than 107 bytes: /{'a' * 107}",
            'Write a shorter one, such as "unix:/run/other.sock".',
            id="a long socket",
        ),
    ],
)
def test_what_is_no_target_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(UpstreamProblem) as caught:
        parse_upstream(text, FOLDER)
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_files_are_told_from_servers(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "robots.txt").touch()
    for text, hint in {
        "dist": 'Write { static = "dist" } for files.',
        "robots.txt": 'Write { file = "robots.txt" } for one file.',
    }.items():
        with pytest.raises(UpstreamProblem) as caught:
            parse_upstream(text, tmp_path)
        assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("target", "values", "expected"),
    [
        pytest.param("http://127.0.0.1:{port}", {"port": "5173"}, "http://127.0.0.1:5173", id="a port"),
        pytest.param("http://{app}:80", {"app": "shop_1"}, "http://shop_1:80", id="a host"),
        pytest.param("http://{app}.in.test", {"app": "Shop"}, "http://Shop.in.test", id="a label"),
        pytest.param("http://10.0.0.{n}", {"n": "7"}, "http://10.0.0.7", id="a part of an address"),
        pytest.param("http://{n}.in.test", {"n": "7"}, "http://7.in.test", id="a number that is a label"),
        pytest.param("unix:run/{app}.sock", {"app": "shop"}, "unix:/srv/shop/run/shop.sock", id="a socket"),
        pytest.param("http://a/{x}/b", {"x": "c-d"}, "http://a/c-d/b", id="a segment of a path"),
        pytest.param("http://a:80", {"x": "../"}, "http://a:80", id="a value that the target does not name"),
    ],
)
def test_what_the_key_has_captured_goes_into_the_target(target: str, values: dict[str, str], expected: str) -> None:
    found = parse_upstream(target, FOLDER).fill(values)
    assert found is not None
    assert (found.at(""), found.names) == (expected, ())


@pytest.mark.parametrize(
    ("target", "value"),
    [
        pytest.param("http://127.0.0.1:{x}", "80@evil.test", id="another authority"),
        pytest.param("http://127.0.0.1:{x}", "0", id="port 0"),
        pytest.param("http://127.0.0.1:{x}", "65536", id="no port"),
        pytest.param("http://127.0.0.1:{x}", "a", id="a word for a port"),
        pytest.param("http://127.0.0.1:{x}", "\u0661", id="a digit beyond ASCII"),
        pytest.param("http://{x}:80", "evil.test", id="a host with a dot"),
        pytest.param("http://{x}.in.test", "evil.test/", id="a slash"),
        pytest.param("http://{x}.in.test", "a:1", id="a colon"),
        pytest.param("http://{x}.in.test", "", id="nothing"),
        pytest.param("http://{x}.in.test", "a" * 64, id="a label that is too long"),
        pytest.param("http://{x}.in.test", "a\n", id="a line"),
        pytest.param("http://{x}", "2130706433", id="an address as one number"),
        pytest.param("http://{x}:80", "0xA9FEA9FE", id="an address in hexadecimal"),
        pytest.param("http://a.{x}", "0x", id="what a browser takes for one"),
        pytest.param("http://10.0.0.{x}", "0x7f", id="a part of one in hexadecimal"),
        pytest.param("http://a/{x}", "..", id="a dot segment"),
        pytest.param("unix:run/{x}.sock", "../../etc/x", id="another folder"),
        pytest.param("unix:run/{x}.sock", "a\0", id="NUL"),
        pytest.param(f"unix:/{'b' * 60}/{{x}}", "a" * 60, id="a socket that is too long"),
    ],
)
def test_no_value_leads_anywhere_else(target: str, value: str) -> None:
    assert parse_upstream(target, FOLDER).fill({"x": value}) is None


@pytest.mark.parametrize(
    ("target", "host", "port", "expected"),
    [
        pytest.param("http://127.0.0.1:8000", "127.0.0.1", 8000, True, id="the same"),
        pytest.param("http://localhost:8000", "0.0.0.0", 8000, True, id="another name of it"),
        pytest.param("http://[::1]:8000", "localhost", 8000, True, id="IPv6"),
        pytest.param("http://localhost", "::", 80, True, id="a port that is implied"),
        pytest.param("http://10.0.0.1:8000", "10.0.0.1", 8000, True, id="an address of its own"),
        pytest.param("http://10.0.0.1:8000", "127.0.0.1", 8000, False, id="another machine"),
        pytest.param("http://127.0.0.1:8001", "127.0.0.1", 8000, False, id="another port"),
        pytest.param("unix:a.sock", "127.0.0.1", 80, False, id="a socket"),
        pytest.param("http://127.0.0.1:{x}", "127.0.0.1", 8000, False, id="a placeholder"),
    ],
)
def test_a_server_knows_itself(target: str, host: str, port: int, expected: bool) -> None:
    assert parse_upstream(target, FOLDER).is_at(host, port) is expected
