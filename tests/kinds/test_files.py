from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.mounts import FileMount
from multiserve.errors import LoadError, Problem
from multiserve.keys import parse_key
from multiserve.kinds.files import FileKind


def mount_of(path: Path) -> FileMount:
    return FileMount(key=parse_key("/x"), toml_key='mounts."/x"', what=path.name, path=path)


def test_a_file_has_a_handler_for_each_interface(tmp_path: Path) -> None:
    (tmp_path / "robots.txt").touch()
    wsgi, asgi = FileKind().handlers(mount_of(tmp_path / "robots.txt"))
    assert callable(wsgi)
    assert callable(asgi)


@pytest.mark.parametrize("name", ["nope", "folder"])
def test_what_is_not_a_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(LoadError) as caught:
        FileKind().handlers(mount_of(tmp_path / name))
    hint = "Paths are relative to the folder of the configuration."
    assert caught.value.problems == (
        Problem(key='mounts."/x"', message=f"there is no file {tmp_path / name}", hint=hint),
    )
