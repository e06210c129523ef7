"""How many files a process of a group may have open; each case runs in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

SCRIPT = """\
import resource
from multiserve.errors import ConfigError
from multiserve.servers.groups.limits import limit_open_files

try:
    limit_open_files(@number@, "old")
except ConfigError as error:
    print(error)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
SOFT, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
TOO_MANY = 2**40  # which not even root may have


@pytest.mark.parametrize(
    ("number", "said"),
    [
        pytest.param(0, [str(SOFT)], id="no limit"),
        pytest.param(100, ["100"], id="a limit"),
        pytest.param(
            TOO_MANY,
            [
                (
                    f"groups.old.max_open_files: the system does not allow a process {TOO_MANY} open files; "
                    f"it may have {HARD} as multiserve is started"
                ),
                "    Write less, or start multiserve where more are allowed: see ulimit -n.",
                str(SOFT),
            ],
            id="more than the system allows",
        ),
    ],
)
def test_a_process_is_limited(number, said):
    script = SCRIPT.replace("@number@", str(number))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == said
