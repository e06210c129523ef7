"""The header of the files, and how those in a folder are compared and written."""

from __future__ import annotations

import pytest

from multiserve import __version__
from multiserve.errors import ConfigError
from multiserve.export import systemd
from multiserve.export.files import Difference, as_text, compare, with_headers, write


@pytest.fixture
def files(export):
    return with_headers("nginx", {"a.conf": "a\n", "sub/b.conf": "b\n"}, export('"/" = "a:app"'), __version__)


def test_the_header_says_where_a_file_comes_from(export):
    made = export('"/" = "a:app"', command=["--address", "{unit}:1"])
    assert with_headers("nginx", {"a.conf": "a\n"}, made, __version__) == {
        "a.conf": f"""\
# Written by: multiserve export nginx --address '{{unit}}:1'
# multiserve {__version__}, from multiserve.toml with the hash {made.digest}: change that file, and write this one anew.

a
"""
    }


def test_several_files_in_one_text_have_their_names_above_them(files):
    assert as_text(files).startswith("# file: a.conf\n# Written by: ")
    assert "\na\n\n# file: sub/b.conf\n# Written by: " in as_text(files)
    assert as_text({"a.conf": "a\n"}) == "a\n"


def test_a_folder_is_written_compared_and_tidied(files, tmp_path):
    folder = tmp_path / "new" / "folder"
    assert compare(folder, "nginx", files) == Difference(missing=("a.conf", "sub/b.conf"))
    assert write(folder, "nginx", files) == [f"written  {folder}/a.conf", f"written  {folder}/sub/b.conf"]
    assert {name: (folder / name).read_text() for name in files} == files
    assert compare(folder, "nginx", files) == Difference()
    assert write(folder, "nginx", files) == []
    (folder / "sub/b.conf").write_text(files["sub/b.conf"] + "edited")
    (folder / "other.conf").write_text("of another program")
    (folder / "haproxy.cfg").write_text(files["a.conf"].replace("export nginx", "export haproxy"))
    fewer = {name: text for name, text in files.items() if name != "a.conf"}
    assert compare(folder, "nginx", fewer) == Difference(stale=("sub/b.conf",), superfluous=("a.conf",))
    assert write(folder, "nginx", fewer) == [f"written  {folder}/sub/b.conf", f"removed  {folder}/a.conf"]
    assert {path.name for path in folder.rglob("*.*")} == {"b.conf", "other.conf", "haproxy.cfg"}


def test_what_another_release_has_written_is_not_stale_for_that(files, tmp_path):
    write(tmp_path, "nginx", files)
    path = tmp_path / "a.conf"
    path.write_text(path.read_text().replace(f"multiserve {__version__},", "multiserve 99.9,"))
    assert compare(tmp_path, "nginx", files) == Difference()
    path.write_text(path.read_text().replace("the hash ", "the hash f"))
    assert compare(tmp_path, "nginx", files) == Difference(stale=("a.conf",))


def test_a_file_of_somebody_else_is_left_alone(files, tmp_path):
    (tmp_path / "a.conf").write_text("mine")
    assert compare(tmp_path, "nginx", files) == Difference(missing=("sub/b.conf",), foreign=("a.conf",))
    with pytest.raises(ConfigError) as caught:
        write(tmp_path, "nginx", files)
    assert str(caught.value) == (
        f"{tmp_path}/a.conf: this file was not written by multiserve export nginx, and is left as it is\n"
        "    Move it away, or name another folder with -o."
    )
    assert (tmp_path / "a.conf").read_text() == "mine"
    assert not (tmp_path / "sub").exists()


def test_a_folder_that_cannot_be_made(files, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        write(tmp_path / "file", "nginx", files)
    assert str(caught.value) == f"{tmp_path}/file: cannot be written: File exists"


def test_the_lines_of_a_difference():
    difference = Difference(("a",), ("b",), ("c",), ("d",))
    assert difference.lines() == ["missing      a", "stale        b", "superfluous  c", "not ours     d"]


def test_the_files_of_another_site_stay(export, tmp_path):
    def written(mounts, name):
        made = export(mounts, name=name, command=["--name", name])
        return with_headers("systemd", systemd.render(made), made, "1.0")

    two, one = '"/" = "a:b"\n"/x" = "c:d"', '"/" = "a:b"'
    (tmp_path / "deeper").mkdir()
    for folder in (tmp_path, tmp_path / "deeper"):
        write(folder, "systemd", written(two, "shop"))
    write(tmp_path, "systemd", written(two, "blog"))
    lines = write(tmp_path, "systemd", written(one, "shop"))
    removed = [line.rpartition("/")[2] for line in lines if line.startswith("removed")]
    assert sorted(removed) == ["shop-x.service", "shop-x.socket"]
    assert (tmp_path / "blog-x.service").exists()
    assert (tmp_path / "deeper" / "shop-x.service").exists()
