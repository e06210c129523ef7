from __future__ import annotations

from pathlib import Path

from multiserve.config.kinds.files import FileMount
from multiserve.config.kinds.mount import Entry
from multiserve.config.tables import Table
from multiserve.errors import Problem
from multiserve.keys import parse_key


def test_the_file_is_relative_to_the_folder_of_the_configuration() -> None:
    problems: list[Problem] = []
    table = Table({"file": "web/robots.txt", "max_age": 60}, 'mounts."/robots.txt"', problems)
    key = parse_key("/robots.txt")
    entry = Entry(table=table, key=key, folder=Path("/site"), holder=table, name="file", given="file")
    mount = FileMount.read_entry(entry)
    assert problems == []
    assert mount is not None
    assert (mount.path, mount.max_age, mount.what) == (Path("/site/web/robots.txt"), 60, "web/robots.txt")


def test_a_file_without_a_name_is_refused() -> None:
    problems: list[Problem] = []
    table = Table({"file": ""}, 'mounts."/x"', problems)
    entry = Entry(table=table, key=parse_key("/x"), folder=Path("/"), holder=table, name="file", given="file")
    FileMount.read_entry(entry)
    hint = 'Name a file, such as "site/robots.txt".'
    assert problems == [Problem(key='mounts."/x".file', message="there is no name", hint=hint)]
