"""The units for systemd."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from multiserve.export.systemd import render

MOUNTS = """\
"/" = "site:create_app('${SECRET}')"
"/100%/a b/$x" = "site:create_app('${SECRET}')"
"/blog" = { app = "blog:app", group = "blog" }
"/old" = { app = "old:app", group = "old" }
[groups.blog]
max_memory = "256M"
[groups.old]
python = "env"
"""


@pytest.fixture
def files(export, monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET", "never to be written")
    (tmp_path / "env").mkdir()
    return render(export(MOUNTS, name="shop"))


def options(text):
    """Return each option of a file with all its values."""
    found = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_each_unit_is_a_socket_and_a_service_of_the_target(files):
    assert list(files) == [
        "shop.target", "shop-main.socket", "shop-main.service", "shop-blog.socket", "shop-blog.service",
        "shop-old.socket", "shop-old.service",
    ]  # fmt: skip
    names = [name for name in files if not name.endswith(".target")]
    assert options(files["shop.target"])["Wants"] == [" ".join(names)]
    for name in names:
        assert options(files[name])["PartOf"] == ["shop.target"]
    assert options(files["shop-blog.socket"])["ListenStream"] == ["127.0.0.1:8002"]


def test_a_service_serves_its_part_and_says_when_it_is_ready(files):
    blog = options(files["shop-blog.service"])
    (start,) = blog["ExecStart"]
    assert start == (
        "/srv/shop/.venv/bin/multiserve run --production --trusted-proxies 1 --manage 127.0.0.1:9001 "
        "--pidfile /run/shop-blog/pid --only-group blog"
    )
    assert blog["ExecReload"] == ["/srv/shop/.venv/bin/multiserve reload --pid /run/shop-blog/pid"]
    assert (blog["Type"], blog["RuntimeDirectory"], blog["Requires"]) == (
        ["notify"],
        ["shop-blog"],
        ["shop-blog.socket"],
    )
    assert blog["MemoryMax"] == ["384M"]
    assert options(files["shop-old.service"])["ExecStart"][0].endswith("--only /old")  # multiserve starts its Python


def test_what_systemd_reads_in_its_own_way_is_escaped(files):
    (start,) = options(files["shop-main.service"])["ExecStart"]
    assert start.endswith('--only / --only "/100%%/a b/$$x"')


def test_a_value_from_outside_is_in_a_file_of_its_own(files):
    assert "never to be written" not in "".join(files.values())
    assert options(files["shop-main.service"])["EnvironmentFile"] == ["/etc/shop.env"]


def test_systemd_itself_finds_nothing_wrong(export, tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd on this machine")
    multiserve = tmp_path / ".venv" / "bin" / "multiserve"
    multiserve.parent.mkdir(parents=True)
    multiserve.write_text("#!/bin/sh\n")
    multiserve.chmod(0o755)
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in render(export('"/" = "site:app"', folder=str(tmp_path))).items():
        (folder / name).write_text(text)
    command = [program, "verify", "--man=no", *map(str, sorted(folder.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "multiserve" in line]) == (0, [])
