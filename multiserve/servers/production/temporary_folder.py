"""The folder for temporary files, which gunicorn needs: each worker shows in a file there that it is alive."""

from __future__ import annotations

import tempfile

from gunicorn.config import Config as GunicornConfig  # noqa: TC002 (as in gunicorn.py)

from multiserve.errors import Problem, ServeError


def check_temporary_folder(settings: GunicornConfig) -> None:
    """Raise `ServeError` where no folder for temporary files can be written to, as on a read-only system."""
    if settings.worker_tmp_dir:
        return
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        hint = 'Write worker_tmp_dir = "/dev/shm" under [gunicorn], or name a writable folder in TMPDIR.'
        raise ServeError(Problem(message="gunicorn finds no folder for temporary files", hint=hint)) from None
