"""`multiserve export`."""

from __future__ import annotations

import pytest

FILE = '[mounts]\n"/" = "a:app"\n"/b" = "b:app"\n"{t}.test" = "c:make"\n'
WARNING = """\
Warning: mounts."{t}.test": a name that it refuses gets 421 where /b would answer, in another unit
    If that matters, put them into one group.
"""


def test_export_prints_the_file_and_imports_nothing(run, write_config):
    write_config(FILE)
    code, out, err = run("export", "nginx", "--name", "shop", "--listen", "81")
    assert (code, err) == (0, WARNING)
    assert out.startswith("# Written by: multiserve export nginx --name shop --listen 81\n# multiserve ")
    assert "\nupstream shop_b {\n" in out
    assert "\n    listen 81;\n" in out
    assert out.endswith("}\n")


def test_export_writes_into_a_folder_and_checks_it(run, write_config, tmp_path):
    write_config(FILE)
    there = ("export", "nginx", "-o", "deploy")
    assert run(*there, "--check") == (
        1,
        "missing      multiserve.conf\n",
        f'{WARNING}Write it anew with "multiserve export nginx -o deploy".\n',
    )
    assert run(*there) == (0, "written  deploy/multiserve.conf\n", WARNING)
    assert run(*there, "--check") == (0, "", WARNING)
    assert run(*there) == (0, "Nothing has changed in deploy.\n", WARNING)
    assert run("export", "nginx")[1] == (tmp_path / "deploy" / "multiserve.conf").read_text()
    write_config(FILE.replace("/b", "/c"))
    assert run(*there, "--check")[:2] == (1, "stale        multiserve.conf\n")
    code, out, err = run(*there, "--check", "--address", "{unit}:1")
    assert (code, out) == (1, "stale        multiserve.conf\n")
    assert err.endswith("Write it anew with \"multiserve export nginx --address '{unit}:1' -o deploy\".\n")


REFUSED = [
    pytest.param(["--check"], 2, "Error: --check needs -o: name the folder with the files.\n", id="check what"),
    pytest.param(
        ["--name", "A"],
        1,
        'Error: --name: "A" is no name\n    Write small letters, digits and -, at most 40, the first one a letter.\n',
        id="a name",
    ),
    pytest.param(
        ["--address", "c=h:1"],
        1,
        'Error: --address: there is no unit "c"\n    The units are root, b.\n',
        id="an address",
    ),
]


@pytest.mark.parametrize(("options", "exit_code", "message"), REFUSED)
def test_refused(run, write_config, options, exit_code, message):
    write_config(FILE)
    code, out, err = run("export", "nginx", *options)
    assert (code, out) == (exit_code, "")
    assert err.endswith(message)


def test_the_help_lists_the_formats(run):
    _, out, _ = run("export", "--help")
    assert "Formats:\n      nginx" in out
