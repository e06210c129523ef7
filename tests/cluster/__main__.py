"""Bring up a Kubernetes and a dockerd, and run the tests of this folder on them: `make cluster-test`.

All of it is in namespaces of its own (network, processes, mounts), so that nothing is left when it ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pieces import Pieces, prepare

_HERE = Path(__file__).parent
_INSIDE = "CLUSTER_SCRATCH"  # set inside of the namespaces: the folder for what lasts as long as the run
_NAMESPACES = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def main() -> int:
    """Run the tests with the arguments of pytest, and return its exit code."""
    if scratch := os.environ.get(_INSIDE):
        subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
        options = (
            "-p",
            "no:xdist",
            "--timeout",
            "900",
            "-o",
            "filterwarnings=error",
            "-v",
            f"--basetemp={scratch}/pytest",
        )
        return int(pytest.main([str(_HERE), *options, *sys.argv[1:]]))
    if os.geteuid() != 0:
        sys.exit("make cluster-test needs root: it makes namespaces, mounts and containers.")
    pieces = Pieces.at_default()
    prepare(pieces)
    scratch = tempfile.mkdtemp(prefix="run-", dir=pieces.folder)
    try:
        command = ("unshare", *_NAMESPACES, sys.executable, str(_HERE), *sys.argv[1:])
        return subprocess.run(command, env={**os.environ, _INSIDE: scratch}, check=False).returncode
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        _remove_control_groups()


def _remove_control_groups() -> None:
    """Remove the control groups that dockerd has made: they are all that is outside of the namespaces."""
    for folder in Path("/sys/fs/cgroup").glob("**/multiserve-cluster"):
        for path in sorted((folder, *(each for each in folder.rglob("*") if each.is_dir())), reverse=True):
            path.rmdir()


if __name__ == "__main__":
    sys.exit(main())
