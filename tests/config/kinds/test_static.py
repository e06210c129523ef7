from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.kinds.static import StaticMount
from multiserve.errors import Problem


def test_the_folder_is_relative_to_that_of_the_file(entry_of) -> None:
    entry, problems = entry_of("/files", {"static": "web", "max_age": 60})
    mount = StaticMount.read_entry(entry)
    assert problems == []
    assert mount is not None
    assert (mount.folder, mount.max_age, mount.what) == (Path("/site/web"), 60, "web")


@pytest.mark.parametrize("folder", ["", ".", "..", "/site"], ids=["empty", "its own", "above", "absolute"])
def test_the_folder_of_the_configuration_is_refused(entry_of, folder: str) -> None:
    entry, problems = entry_of("/files", {"static": folder})
    StaticMount.read_entry(entry)
    assert problems == [
        Problem(
            key='mounts."/files".static',
            message="this folder holds the configuration, which everybody could read then",
            hint='Name a folder of files alone, such as "static".',
        )
    ]
