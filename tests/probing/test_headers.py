from __future__ import annotations

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.probing.escapes import Visit
from multiserve.probing.exchange import Received
from multiserve.probing.headers import find_header_mistakes

pytestmark = pytest.mark.usefixtures("kept_process")
HSTS = ("strict-transport-security", "max-age=1; IncludeSubDomains")
WHOLE = "its Strict-Transport-Security has includeSubDomains, and other mounts do not send it"
CORS = [("access-control-allow-origin", "*"), ("access-control-allow-credentials", "true")]
BOTH = "it allows credentials, and every origin (Access-Control-Allow-Origin: *)"
LENGTH = "its Content-Length is 9, and the body has 4 bytes"


@pytest.fixture
def visit(tmp_path, write_config):
    (tmp_path / "plain.py").write_text("def app(environ, start_response): ...")
    text = '[mounts]\n"/" = "plain:app"\n"/a" = "plain:app"\n"/old" = { redirect = "/a" }\n'
    text += "".join(f'"{host}" = "plain:app"\n' for host in ("example.com", "api.example.com", "myexample.com"))
    mounts = {each.mount.name: each for each in compose(load_config(write_config(text))).mounts}

    def make(name, headers, **more):
        received = Received(**{"status": 200, "headers": headers, "body": bytearray(b"page"), **more})
        return Visit(mounts[name], f"http://localhost{name}", received)

    return make


MISTAKES = [
    # the headers of /a, those of the other mount, what is found
    pytest.param([HSTS], [], {}, [WHOLE], id="HSTS of one mount"),
    pytest.param([HSTS], [HSTS], {}, [], id="HSTS of all mounts"),
    pytest.param([("strict-transport-security", "max-age=1")], [], {}, [], id="HSTS of this host"),
    pytest.param(CORS, [], {}, [BOTH], id="credentials to every origin"),
    pytest.param(CORS[:1], [], {}, [], id="every origin"),
    pytest.param([("transfer-encoding", "chunked")], [], {},
                 ["it sends transfer-encoding, which is up to the server"], id="between two servers"),
    pytest.param([("content-length", "9")], [], {}, [LENGTH], id="a wrong length"),
    pytest.param([("content-length", "4")], [], {}, [], id="the length"),
    pytest.param([("content-length", "9")], [], {"status": 304}, [], id="no body"),
    pytest.param([("content-length", "9")], [], {"error": TimeoutError()}, [], id="an incomplete response"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "others", "more", "found"), MISTAKES)
def test_headers(visit, headers, others, more, found):
    here, there, told = visit("/a", headers, **more), visit("/", others), set()
    assert [each.message for each in find_header_mistakes(here, [there, here], told)] == found
    assert list(find_header_mistakes(here, [there, here], told)) == []


def test_only_applications_are_looked_at(visit):
    here = visit("/old", [HSTS])
    assert list(find_header_mistakes(here, [visit("/", []), here], set())) == []


@pytest.mark.parametrize(
    ("other", "found"),
    [
        pytest.param("/", [WHOLE], id="any host"),
        pytest.param("api.example.com", [WHOLE], id="a host below"),
        pytest.param("myexample.com", [], id="another host"),
    ],
)
def test_hsts_concerns_the_mounts_of_the_host_and_of_those_below(visit, other, found):
    here = visit("example.com", [HSTS])
    messages = [each.message for each in find_header_mistakes(here, [visit(other, []), here], set())]
    assert messages == found
