from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.kinds.files import FileMount
from multiserve.config.kinds.mount import Entry
from multiserve.config.source import Source
from multiserve.config.tables import Table
from multiserve.errors import Problem
from multiserve.keys import parse_key


def test_the_file_is_relative_to_the_folder_of_the_configuration() -> None:
    problems: list[Problem] = []
    table = Table({"file": "web/robots.txt", "max_age": 60}, 'mounts."/robots.txt"', problems)
    key = parse_key("/robots.txt")
    entry = Entry(
        table=table, key=key, source=Source(Path("/site/multiserve.toml")), holder=table, name="file", given="file"
    )
    mount = FileMount.read_entry(entry)
    assert problems == []
    assert mount is not None
    assert (mount.path, mount.max_age, mount.what) == (Path("/site/web/robots.txt"), 60, "web/robots.txt")


def test_a_file_without_a_name_is_refused() -> None:
    problems: list[Problem] = []
    table = Table({"file": ""}, 'mounts."/x"', problems)
    entry = Entry(
        table=table,
        key=parse_key("/x"),
        source=Source(Path("/multiserve.toml")),
        holder=table,
        name="file",
        given="file",
    )
    FileMount.read_entry(entry)
    hint = 'Name a file, such as "site/robots.txt".'
    assert problems == [Problem(key='mounts."/x".file', message="there is no name", hint=hint)]


@pytest.mark.parametrize("name", ["multiserve.toml", "../site/multiserve.toml", "link"])
def test_the_configuration_is_not_served(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "multiserve.toml").touch()
    (folder / "link").symlink_to("multiserve.toml")
    problems: list[Problem] = []
    table = Table({"file": name}, 'mounts."/x"', problems)
    file = folder / "multiserve.toml"
    FileMount.read_entry(
        Entry(table=table, key=parse_key("/x"), source=Source(file), holder=table, name="file", given="file")
    )
    message = "this is the configuration, which everybody could read then"
    assert problems == [Problem(key='mounts."/x".file', message=message, hint="Name another file.")]
