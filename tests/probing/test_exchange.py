from __future__ import annotations

import pytest

from multiserve.probing.exchange import build_scope, describe_error


def test_the_scope_is_that_of_a_server() -> None:
    scope = build_scope("HEAD", "https://[::1]/caf%C3%A9/é", "text/html")
    assert (scope["path"], scope["raw_path"]) == ("/café/é", b"/caf%C3%A9/%C3%A9")
    assert (scope["server"], scope["scheme"], scope["method"]) == (("::1", 443), "https", "HEAD")
    assert scope["headers"][:2] == [(b"host", b"[::1]"), (b"accept", b"text/html")]


def test_an_error_is_told_with_its_last_frame_and_what_is_behind_it() -> None:
    def fails() -> None:
        raise SystemExit(3)

    def fails_behind() -> None:
        try:
            fails()
        except SystemExit as error:
            raise RuntimeError("the application exits") from error

    with pytest.raises(RuntimeError) as caught:
        fails_behind()
    line = fails.__code__.co_firstlineno + 1
    assert describe_error(caught.value) == f"SystemExit: 3 ({__file__}:{line}, in fails)"
    assert describe_error(TimeoutError("too late")) == "too late"
