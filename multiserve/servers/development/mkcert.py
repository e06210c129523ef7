"""Certificates of mkcert, a program whose authority the browsers of a machine may trust already."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from multiserve.errors import Problem, ServeError

_PATIENCE = 60.0  # seconds: its first certificate needs a key of 3072 bits


def find_mkcert() -> str | None:
    """Return the path of the program; None if it is not installed."""
    return shutil.which("mkcert")


def root_certificate(program: str) -> bytes:
    """Return the certificate of its authority; nothing where there is none yet."""
    folder = Path(_run([program, "-CAROOT"]).strip())
    try:
        return (folder / "rootCA.pem").read_bytes()
    except OSError:
        return b""


def issue(program: str, hosts: Sequence[str], path: Path) -> None:
    """Write the certificate of a server and its key to one file.

    Raises:
        ServeError: The program has failed.
    """
    _run([program, "-cert-file", str(path), "-key-file", str(path), *hosts])


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (the program of that name)
            command, capture_output=True, text=True, timeout=_PATIENCE, check=True, stdin=subprocess.DEVNULL
        )
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines()
        raise _failed(lines[-1] if lines else f"exit code {error.returncode}") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed(str(error)) from None
    return done.stdout


def _failed(reason: str) -> ServeError:
    hint = 'Type "mkcert localhost" to see whether it works, or serve without --https.'
    return ServeError(Problem(message=f"mkcert could not make a certificate: {reason}", hint=hint))
