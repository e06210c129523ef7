from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from multiserve.config.mounts import StaticMount
from multiserve.errors import LoadError, Problem
from multiserve.keys import parse_key
from multiserve.kinds.static import StaticKind


def mount_of(folder: Path, what: str = "web", **options: Any) -> StaticMount:
    return StaticMount(key=parse_key("/s"), toml_key='mounts."/s"', what=what, folder=folder / what, **options)


def test_a_folder_has_a_handler_for_each_interface(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    wsgi, asgi = StaticKind().handlers(mount_of(tmp_path))
    assert callable(wsgi)
    assert callable(asgi)


@pytest.mark.parametrize(
    ("what", "options", "key", "message", "hint"),
    [
        ("nope", {}, "", "there is no folder {}/nope", "Paths are relative to the folder of the configuration."),
        ("~/web", {}, "", "there is no folder {}/~/web", "A ~ stands for itself: write the whole path."),
        ("file", {}, "", "{}/file is a file", "Name the folder that it is in."),
        ("web", {"fallback": "x"}, ".fallback", 'there is no file "x" in {}/web', "It is a file of the static folder."),
    ],
    ids=["missing", "with a tilde", "a file", "no fallback"],
)
def test_what_is_wrong_with_a_folder(
    tmp_path: Path, what: str, options: dict[str, Any], key: str, message: str, hint: str
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(LoadError) as caught:
        StaticKind().handlers(mount_of(tmp_path, what, **options))
    expected = Problem(key=f'mounts."/s"{key}', message=message.format(tmp_path), hint=hint)
    assert caught.value.problems == (expected,)
