from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve.config import load_config
from multiserve.errors import ConfigError
from multiserve.explain import Explanation, explain

FILE = """
[mounts]
"/" = "storefront:app"
"/admin" = "backoffice:app"
"/admin/users" = "users:app"
"/café" = "cafe:app"
"api.example.com" = "api:app"
"api.example.com/v2" = "api2:app"
"*.example.com/blog" = "blog:app"
"""

CASES = [
    pytest.param("/", "/", "", "/", "the root is the only prefix that matches", None, id="the root"),
    pytest.param(
        "/admin/x?a=/admin/users#f", "/admin", "/admin", "/x", '"/admin" is the longest prefix that matches', "/",
        id="a path with query and fragment",
    ),
    pytest.param(
        "http://localhost:8000/admin/users", "/admin/users", "/admin/users", "",
        '"/admin/users" is the longest prefix that matches', "/admin", id="a whole URL",
    ),
    pytest.param(
        "/caf%C3%A9/%C3%A9", "/café", "/café", "/é", '"/café" is the longest prefix that matches', "/",
        id="percent-escapes",
    ),
    pytest.param("/café", "/café", "/café", "", '"/café" is the longest prefix that matches', "/", id="plain text"),
    pytest.param("/%ff", "/", "", "/\\xff", "the root is the only prefix that matches", None, id="not UTF-8"),
    pytest.param(
        "https://API.example.com:8443/v2/x", "api.example.com/v2", "/v2", "/x",
        'the host is "api.example.com", and "/v2" is the longest prefix under it', "api.example.com",
        id="a host, the longest prefix under it",
    ),
    pytest.param(
        "api.example.com/other", "api.example.com", "", "/other",
        'the host is "api.example.com", and the root is the only prefix under it that matches', "/",
        id="a host without a scheme",
    ),
    pytest.param(
        "http://x.example.com/blog/1", "*.example.com/blog", "/blog", "/1",
        'the host matches "*.example.com", and "/blog" is the only prefix under it that matches', "/",
        id="a wildcard",
    ),
    pytest.param("//admin", "/", "", "//admin", "the root is the only prefix that matches", None, id="two slashes"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "mount", "script_name", "path_info", "reason", "runner_up"), CASES)
def test_a_url_is_explained(
    write_config: Callable[[str], Path],
    url: str,
    mount: str,
    script_name: str,
    path_info: str,
    reason: str,
    runner_up: str | None,
) -> None:
    result = explain(load_config(write_config(FILE)), url)
    assert (str(result.mount.key) if result.mount else None) == mount
    assert (result.script_name, result.path_info, result.reason) == (script_name, path_info, reason)
    assert (str(result.runner_up.key) if result.runner_up else None) == runner_up


def test_a_url_that_no_mount_takes(write_config: Callable[[str], Path]) -> None:
    config = load_config(write_config('[mounts]\n"/admin" = "backoffice:app"'))
    assert explain(config, "/other") == Explanation(
        url="/other", mount=None, reason="no mount has a prefix of this path, so the answer is 404"
    )


def test_what_is_no_url_is_an_error(write_config: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        explain(load_config(write_config(FILE)), "http://[::1/x")
    assert str(caught.value) == "http://[::1/x: not a URL: Invalid IPv6 URL"
