"""`multiserve check --watch`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import click
import pytest

from multiserve.cli import main
from multiserve.cli.watching import same_command

WAITING = "Waiting for a change. Ctrl-C ends.\n"
GOOD = '[mounts]\n"/" = { redirect = "https://example.com" }\n'


@pytest.mark.parametrize(
    ("typed", "again"),
    [
        pytest.param(["--watch"], [], id="no other option"),
        pytest.param(
            ["--watch", "-v", "--select", "MS1", "--select=MS2", "--only", "/a"],
            ["--verbose", "--select=MS1", "--select=MS2", "--only=/a"],
            id="some",
        ),
        pytest.param(["--watch", "--format", "json", "shop:app", "/a=b"], ["shop:app", "/a=b"], id="targets"),
    ],
)
def test_the_same_is_run_in_another_process(typed, again):
    command = main.get_command(click.Context(main), "check")
    with command.make_context("check", list(typed)) as ctx:
        found = same_command(ctx, without="watch")
    assert found[:5] == [sys.executable, "-P", "-m", "multiserve", "check"]
    assert sorted(each for each in found[5:] if not each.startswith("--format=")) == sorted(again)


def until(line, lines):
    read = []
    for each in lines:
        read.append(each)
        if each == line:
            return "".join(read)
    raise AssertionError(f"it ended: {read}")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_it_checks_again_after_each_change_until_it_is_interrupted(tmp_path):
    file = tmp_path / "multiserve.toml"
    file.write_text(GOOD)
    command = [sys.executable, "-m", "multiserve", "check", "--watch"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert re.match(r"\d\d:\d\d:\d\d Checking\.\nok +/ ", until(WAITING, process.stdout))
            file.write_text("[mounts")
            again = until(WAITING, process.stdout)
            assert re.match(rf"\d\d:\d\d:\d\d {re.escape(str(file))} has changed\.\n", again)
            assert "not TOML" in again
            file.write_text(GOOD)
            assert "\nok  /" in until(WAITING, process.stdout)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
