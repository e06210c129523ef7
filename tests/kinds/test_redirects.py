from __future__ import annotations

from multiserve.config.mounts import RedirectMount
from multiserve.keys import parse_key
from multiserve.kinds.redirects import RedirectKind


def test_it_redirects_below_its_prefix() -> None:
    mount = RedirectMount(key=parse_key("/old"), toml_key='mounts."/old"', what="/new", status=301)
    told: list[object] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> object:
        told.extend([status, dict(headers)["Location"]])
        return None

    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/old", "PATH_INFO": "/page", "QUERY_STRING": "a=1"}
    RedirectKind().handlers(mount).wsgi(environ, start_response)  # type: ignore[arg-type]
    assert told == ["301 Moved Permanently", "/new/page?a=1"]
