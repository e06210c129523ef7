"""Mounts of one file."""

from __future__ import annotations

import os

from multiserve.config.mounts import FileMount
from multiserve.errors import LoadError, Problem
from multiserve.kinds.own_answers import OwnAnswerKind
from multiserve.loading.mounts import Handlers


class FileKind(OwnAnswerKind[FileMount]):
    """Serves the file, which has to be there."""

    def handlers(self, mount: FileMount) -> Handlers:
        """Return the file over either interface.

        Raises:
            LoadError: There is no such file.
        """
        from multiserve.mounts.static.single_file import SingleFile

        if not os.path.isfile(mount.path):  # noqa: PTH113 (Path.is_file raises where a name is too long)
            hint = "Paths are relative to the folder of the configuration."
            raise LoadError(Problem(key=mount.toml_key, message=f"there is no file {mount.path}", hint=hint))
        file = SingleFile(mount.path, max_age=mount.max_age)
        return Handlers(file.wsgi, file.asgi)
