from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multiserve.keys import KeyProblem, MountKey, is_followable, parse_key, url_of

EMPTY_HINT = 'Write "/" for the root, "/path" for a prefix, or a host such as "example.com".'
PORT_HINT = "Write a number from 1 to 65535."
HOST_HINT = 'Write a name such as "example.com", an address, or "/path" for a prefix.'


@pytest.mark.parametrize(
    ("text", "key", "spelt"),
    [
        pytest.param("/", MountKey(), "/", id="the root"),
        pytest.param("/admin", MountKey(prefix="/admin"), "/admin", id="a prefix"),
        pytest.param("/admin/", MountKey(prefix="/admin"), "/admin", id="a slash at the end"),
        pytest.param("/a/b/c", MountKey(prefix="/a/b/c"), "/a/b/c", id="three segments"),
        pytest.param("/Admin", MountKey(prefix="/Admin"), "/Admin", id="case counts in a path"),
        pytest.param("/café", MountKey(prefix="/café"), "/café", id="text that is not ASCII"),
        pytest.param("/my docs", MountKey(prefix="/my docs"), "/my docs", id="a space inside"),
        pytest.param("/100%", MountKey(prefix="/100%"), "/100%", id="a percent sign that escapes nothing"),
        pytest.param("/a:b@c", MountKey(prefix="/a:b@c"), "/a:b@c", id="marks of an authority in a path"),
        pytest.param("/...", MountKey(prefix="/..."), "/...", id="three dots are a name"),
        pytest.param("example.com", MountKey("example.com"), "example.com", id="a host"),
        pytest.param("Example.COM", MountKey("example.com"), "example.com", id="a host in capitals"),
        pytest.param("example.com.", MountKey("example.com"), "example.com", id="a trailing dot"),
        pytest.param("example.com/", MountKey("example.com"), "example.com", id="a host and the root"),
        pytest.param("example.com/blog", MountKey("example.com", None, "/blog"), "example.com/blog", id="both"),
        pytest.param("example.com:8000", MountKey("example.com", 8000), "example.com:8000", id="a port"),
        pytest.param("example.com.:80/x", MountKey("example.com", 80, "/x"), "example.com:80/x", id="everything"),
        pytest.param("localhost", MountKey("localhost"), "localhost", id="localhost"),
        pytest.param("LOCALHOST.", MountKey("localhost"), "localhost", id="localhost with capitals and a dot"),
        pytest.param("intranet:80", MountKey("intranet", 80), "intranet:80", id="one label and a port"),
        pytest.param("*.example.com", MountKey("*.example.com"), "*.example.com", id="a wildcard"),
        pytest.param("*.Example.com:81/x", MountKey("*.example.com", 81, "/x"), "*.example.com:81/x", id="a wide one"),
        pytest.param("127.0.0.1", MountKey("127.0.0.1"), "127.0.0.1", id="an IPv4 address"),
        pytest.param("[::1]", MountKey("[::1]"), "[::1]", id="an IPv6 address"),
        pytest.param("[0:0::1]:80", MountKey("[::1]", 80), "[::1]:80", id="an IPv6 address in another spelling"),
        pytest.param("[2001:DB8::A]/x", MountKey("[2001:db8::a]", None, "/x"), "[2001:db8::a]/x", id="IPv6 and path"),
        pytest.param("bücher.example", MountKey("xn--bcher-kva.example"), "xn--bcher-kva.example", id="IDNA"),
        pytest.param("BÜCHER.example", MountKey("xn--bcher-kva.example"), "xn--bcher-kva.example", id="IDNA, capitals"),
        pytest.param("my_app.example.com", MountKey("my_app.example.com"), "my_app.example.com", id="an underscore"),
    ],
)
def test_a_key_is_read_in_its_normal_form(text, key, spelt):
    assert parse_key(text) == key
    assert str(parse_key(text)) == spelt


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("", "a key is empty", EMPTY_HINT, id="empty"),
        pytest.param("  ", "a key is empty", EMPTY_HINT, id="spaces alone"),
        pytest.param("/admin ", "a key has no spaces around it", 'Write "/admin".', id="a space at the end"),
        pytest.param("\texample.com", "a key has no spaces around it", 'Write "example.com".', id="a tab in front"),
        pytest.param("http://example.com/x", "a key has no scheme", 'Write "example.com/x".', id="a scheme"),
        pytest.param("http:///x", "a key has no scheme", 'Write "/x".', id="a scheme without a host"),
        pytest.param(
            "admin",
            '"admin" is neither a path nor a host',
            'Did you mean "/admin"? A host has a dot or a port.',
            id="a bare word",
        ),
        pytest.param(
            "admin/users",
            '"admin/users" is neither a path nor a host',
            'Did you mean "/admin/users"? A host has a dot or a port.',
            id="a path without its slash",
        ),
        pytest.param(
            "admin.",
            '"admin." is neither a path nor a host',
            'Did you mean "/admin."? A host has a dot or a port.',
            id="a bare word and a dot",
        ),
        pytest.param("/a//b", "a prefix has no empty segments", 'Write "/a/b".', id="two slashes"),
        pytest.param("//", "a prefix has no empty segments", 'Write "/".', id="two slashes alone"),
        pytest.param("/admin//", "a prefix has no empty segments", 'Write "/admin".', id="two slashes at the end"),
        pytest.param("/x://y", "a prefix has no empty segments", 'Write "/x:/y".', id="what looks like a scheme"),
        pytest.param("/a/../b", "a prefix has no . or .. segments", "Write the path that it comes to.", id="two dots"),
        pytest.param("/.", "a prefix has no . or .. segments", "Write the path that it comes to.", id="one dot"),
        pytest.param("/a?b=1", "a prefix is a path, without a query", 'Write "/a".', id="a query"),
        pytest.param("/a#b", "a prefix is a path, without a fragment", 'Write "/a".', id="a fragment"),
        pytest.param(
            "/caf%C3%A9",
            "a prefix is plain text, not percent-escaped",
            "Write the character itself, such as é for %C3%A9.",
            id="a percent-escape",
        ),
        pytest.param("/a\0b", "a prefix cannot contain '\\x00'", "Take the character out.", id="NUL"),
        pytest.param("/a\ud800", "a prefix cannot contain '\\ud800'", "Take the character out.", id="half a character"),
        pytest.param(
            "/u/{}",
            '"{}" is not a placeholder',
            "Write a name in the braces, such as {user}.",
            id="an empty placeholder",
        ),
        pytest.param(
            "{my-shop}.example.com",
            '"{my-shop}" is not a placeholder',
            "Write a name in the braces, such as {user}.",
            id="a placeholder that is no name",
        ),
        pytest.param(
            "{name}.example.com/{name}",
            "the placeholder {name} is there twice",
            "Give each placeholder a name of its own.",
            id="one name for two placeholders",
        ),
        pytest.param(
            "/~{user}",
            "a placeholder is a whole segment",
            'Write it alone between two slashes, not "~{user}".',
            id="a placeholder in a part of a segment",
        ),
        pytest.param(
            "/u/{user",
            "a placeholder is a whole segment",
            'Write it alone between two slashes, not "{user".',
            id="half a placeholder",
        ),
        pytest.param(
            "{a}{b}.example.com",
            "a placeholder is a whole label",
            'Write it alone between two dots, not "{a}{b}".',
            id="two placeholders in a label",
        ),
        pytest.param(
            "*.{tenant}.example.com",
            "a host has either * or placeholders",
            "Write one key for each number of labels.",
            id="a star and a placeholder",
        ),
        pytest.param("me@example.com/x", "a host has no user", 'Write "example.com/x".', id="a user"),
        pytest.param("example.com:0", '"0" is not a port', PORT_HINT, id="port 0"),
        pytest.param("example.com:65536", '"65536" is not a port', PORT_HINT, id="a port out of range"),
        pytest.param("example.com:0655350", '"0655350" is not a port', PORT_HINT, id="a port out of range, disguised"),
        pytest.param(
            "example.com:" + "1" * 5000, f'"{"1" * 5000}" is not a port', PORT_HINT, id="a port of 5000 digits"
        ),
        pytest.param(
            "example.com:000001" + "0" * 5000, f'"000001{"0" * 5000}" is not a port', PORT_HINT, id="zeros in front"
        ),
        pytest.param("example.com:", '"" is not a port', PORT_HINT, id="a colon without a port"),
        pytest.param(
            "example.com:http",
            '"http" is not a port',
            f'{PORT_HINT} A target is written behind its key: "/" = "example.com:http".',
            id="a service name",
        ),
        pytest.param(
            "web.main:app",
            '"app" is not a port',
            f'{PORT_HINT} A target is written behind its key: "/" = "web.main:app".',
            id="a target",
        ),
        pytest.param("example.com:*", '"*" is not a port', 'Write "example.com", which is any port.', id="any port"),
        *(
            pytest.param(text, "a placeholder is a name in braces", f'Write "{written}".', id=text)
            for text, written in (
                ("<tenant>.example.com", "{tenant}.example.com"),
                (":tenant.example.com", "{tenant}.example.com"),
                ("<tenant>", "{tenant}"),
                ("/u/<user>", "/u/{user}"),
                ("/u/<int:user>/x", "/u/{user}/x"),
                ("/u/:user", "/u/{user}"),
                ("/:a/:b", "/{a}/{b}"),
                ("/u/{user:int}", "/u/{user}"),
            )
        ),
        *(
            pytest.param(
                text, "a prefix has no *, as it stands for everything below it", f'Write "{written}".', id=text
            )
            for text, written in (("/a/*", "/a"), ("/*", "/"), ("/**", "/"), ("/a/*/b", "/a"), ("a.b/x/*", "a.b/x"))
        ),
        *(
            pytest.param(text, "* alone is no host, as a path is served on any host", f'Write "{written}".', id=text)
            for text, written in (("*", "/"), ("*/blog", "/blog"), ("*:80/blog", "/blog"))
        ),
        pytest.param(
            "^/admin",
            '"^/admin" is neither a path nor a host',
            'Did you mean "/admin"? A host has a dot or a port.',
            id="a regular expression",
        ),
        pytest.param(
            "\\admin\\x",
            '"\\admin\\x" is neither a path nor a host',
            'Did you mean "/admin/x"? A host has a dot or a port.',
            id="backslashes",
        ),
        pytest.param("example.com:٨٠", '"٨٠" is not a port', PORT_HINT, id="digits that are not ASCII"),
        pytest.param(
            "::1",
            "an IPv6 address is written in brackets",
            'Write "[::1]", and a port behind the bracket.',
            id="IPv6 without brackets",
        ),
        pytest.param("[::1", '"[:" is not an IPv6 address', 'Write it as "[::1]".', id="one bracket"),
        pytest.param("[example.com]", '"[example.com]" is not an IPv6 address', 'Write it as "[::1]".', id="a name"),
        pytest.param("[fe80::1%eth0]", "an address in a Host header has no zone", 'Write "[fe80::1]".', id="a zone"),
        pytest.param(
            "www*.example.com",
            "* stands for whole labels, at the front of a host",
            'Write "*.example.com", or no host for any.',
            id="a star in a label",
        ),
        pytest.param("exa mple.com", '"exa mple.com" is not a host', HOST_HINT, id="a space in a host"),
        pytest.param("-a.example.com", '"-a.example.com" is not a host', HOST_HINT, id="a hyphen in front"),
        pytest.param("a..com", '"a..com" is not a host', HOST_HINT, id="an empty label"),
        pytest.param(".com", '".com" is not a host', HOST_HINT, id="a dot in front"),
        pytest.param("a" * 64 + ".com", f'"{"a" * 64}.com" is not a host', HOST_HINT, id="a label too long"),
        pytest.param("a." * 127 + "com", f'"{"a." * 127}com" is not a host', HOST_HINT, id="a host too long"),
        pytest.param(
            "straße.example",
            "a host with '\\xdf' has two readings",
            'Write it as browsers send it, in its "xn--" form.',
            id="the disputed characters of IDNA",
        ),
        pytest.param(
            "a" * 63 + "é.com",
            f'"{"a" * 63}é" is not an internationalised host name',
            'Write it in its "xn--" form.',
            id="a label too long for IDNA",
        ),
    ],
)
def test_a_text_that_is_no_key_is_told_what_to_write_instead(text, message, hint):
    with pytest.raises(KeyProblem) as caught:
        parse_key(text)
    assert str(caught.value) == message
    assert caught.value.hint == hint


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
HOSTS = NAMES | NAMES.map("*.{}".format) | st.ip_addresses(v=6).map("[{}]".format) | st.just("localhost")
SEGMENTS = st.text(st.characters(exclude_characters="/?#{}%<>*:", exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda text: text.isprintable() and text not in (".", "..")
)
PREFIXES = st.lists(SEGMENTS, max_size=4).map(lambda segments: "".join(f"/{each}" for each in segments))
KEYS = st.builds(MountKey, HOSTS, st.none() | st.integers(1, 65535), PREFIXES) | st.builds(MountKey, prefix=PREFIXES)


@given(KEYS)
def test_the_text_of_a_key_is_read_as_that_key(key):
    assert parse_key(str(key)) == key


@given(st.text() | st.text("/.:[]*@%{}?# -aA1é\u3002ß\0"))
@example("admin.")
@example("[fe80::1%a]")
@example("é。")
def test_any_text_is_a_key_in_normal_form_or_a_problem(text):
    with contextlib.suppress(KeyProblem):
        key = parse_key(text)
        assert parse_key(str(key)) == key


@pytest.mark.parametrize(
    ("key", "origin", "url"),
    [
        pytest.param("/", "http://127.0.0.1:8000", "http://127.0.0.1:8000/", id="the root"),
        pytest.param("/admin", "http://127.0.0.1:8000", "http://127.0.0.1:8000/admin/", id="a prefix"),
        pytest.param("/my docs/é", "http://x:80", "http://x:80/my%20docs/%C3%A9/", id="what a URL must escape"),
        pytest.param("example.com/x", "http://127.0.0.1:8000", "http://example.com:8000/x/", id="a host"),
        pytest.param("example.com:81", "https://127.0.0.1:8000", "https://example.com:81/", id="a host and port"),
        pytest.param("[::1]/x", "http://[::1]:8000", "http://[::1]:8000/x/", id="an IPv6 address"),
    ],
)
def test_a_mount_has_a_url_to_click(key, origin, url):
    assert url_of(parse_key(key), origin) == url


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("/shop", True, id="a prefix"),
        pytest.param("example.com", True, id="a host"),
        pytest.param("/u/{user}", False, id="a placeholder"),
        pytest.param("*.example.com", False, id="a wildcard"),
    ],
)
def test_a_url_can_be_followed_unless_it_is_a_pattern(key, expected):
    assert is_followable(parse_key(key)) is expected
