"""mkcert, by a program of that name which does what the real one is documented to do."""

from __future__ import annotations

import pytest

from multiserve.errors import ServeError
from multiserve.servers.development import mkcert


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program in front of all others."""

    def program(script):
        path = tmp_path / "bin" / "mkcert"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/bin:/usr/bin")
        return str(path)

    return program


def test_it_is_found_where_it_is_installed(program, monkeypatch):
    assert program("true") == mkcert.find_mkcert()
    monkeypatch.setenv("PATH", "/nothing/here")
    assert mkcert.find_mkcert() is None


def test_the_certificate_of_its_authority_is_read(program, tmp_path):
    found = program(f'[ "$1" = -CAROOT ] && echo "{tmp_path}"')
    assert mkcert.root_certificate(found) == b""
    (tmp_path / "rootCA.pem").write_bytes(b"root")
    assert mkcert.root_certificate(found) == b"root"


def test_it_writes_key_and_certificate_into_one_file(program, tmp_path):
    mkcert.issue(program('echo "$@" > "$2"'), ["localhost", "::1"], tmp_path / "made.pem")
    made = tmp_path / "made.pem"
    assert made.read_text() == f"-cert-file {made} -key-file {made} localhost ::1\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param('echo "Created."; echo "ERROR: no key" >&2; exit 1', "ERROR: no key", id="error"),
        pytest.param("exit 3", "exit code 3", id="silent"),
    ],
)
def test_its_failure_is_a_problem(program, tmp_path, script, reason):
    with pytest.raises(ServeError) as caught:
        mkcert.issue(program(script), ["localhost"], tmp_path / "made.pem")
    assert str(caught.value) == (
        f"mkcert could not make a certificate: {reason}\n"
        '    Type "mkcert localhost" to see whether it works, or serve without --https.'
    )
