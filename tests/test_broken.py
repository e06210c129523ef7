from __future__ import annotations

from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from multiserve.mounts.broken import broken

PLAIN = "Service Unavailable: the application at /admin could not be loaded.\n"

CASES = [
    pytest.param("GET", "", PLAIN, id="production"),
    pytest.param("GET", "ZeroDivisionError: é", f"{PLAIN}\nZeroDivisionError: é\n", id="development"),
    pytest.param("HEAD", "", "", id="HEAD has no body"),
]


@pytest.mark.parametrize(("method", "details", "expected"), CASES)
def test_a_broken_mount_answers_503(method: str, details: str, expected: str) -> None:
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = "/"
    started: list[tuple[str, dict[str, str]]] = []
    application = validator(broken("/admin", details))
    response = application(environ, lambda status, headers, _=None: started.append((status, dict(headers))))  # type: ignore[arg-type,func-returns-value]
    body = b"".join(response)
    response.close()  # type: ignore[attr-defined]
    assert body.decode() == expected
    [(status, headers)] = started
    assert status == "503 Service Unavailable"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert int(headers["Content-Length"]) >= len(body)
