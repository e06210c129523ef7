"""The assertion that `multiserve check` finds nothing, made in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from multiserve.api import check
from multiserve.errors import MultiserveError
from multiserve.findings import Finding

_OF_THE_MACHINE = ("MS164", "MS171")  # how fast it imports and how much memory it has: no test should depend on it


def assert_no_findings(config: str | os.PathLike[str], *, production: bool = False, probe: bool = False) -> None:
    """Assert that `multiserve check` finds nothing, in a process of its own.

    There, what loading the applications does to a process is found, whatever this process has imported already. How
    long it takes (MS164) and whether the memory is enough (MS171) depend on the machine, and are left out.

    Args:
        config: The path of the file.
        production: Check it as `multiserve run --production` would serve it.
        probe: Send requests to the applications as well.

    Raises:
        AssertionError: With everything that is found, and what to do about each.
    """
    __tracebackhide__ = True  # of pytest: the failure is shown where this is called
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "findings")
        flags = [name for name, is_set in (("production", production), ("probe", probe)) if is_set]
        command = [sys.executable, "-P", "-c", _CODE, os.fspath(config), str(result), *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (the file is the user's)
        if not result.exists():
            raise AssertionError(f"multiserve check ended with exit code {done.returncode}:\n{done.stderr}")
        if found := json.loads(result.read_text("utf-8")):
            raise AssertionError("\n\n".join([f"multiserve check finds something in {config}:", *found]))


_CODE = "import sys; from multiserve.testing.findings import write_findings; write_findings(*sys.argv[1:])"


def write_findings(config: str, result: str, *flags: str) -> None:
    """Check a file and write what is found, as texts, to another file; end the process even if threads still run."""
    try:
        findings = check(config, production="production" in flags, probe="probe" in flags)
        found = [_describe(finding) for finding in findings if finding.code not in _OF_THE_MACHINE]
    except MultiserveError as error:
        found = [str(error)]
    Path(result).write_text(json.dumps(found), "utf-8")
    os._exit(0)


def _describe(finding: Finding) -> str:
    where = ", ".join(finding.mounts) or finding.key
    text = "\n        ".join(filter(None, (finding.message, finding.consequence, finding.cure)))
    return f"{finding.severity} {finding.code} {where}: {text}"
