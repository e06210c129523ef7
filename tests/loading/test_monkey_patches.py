"""One mount must not patch the process that all of them share."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

# gevent and eventlet change a process for good, and the imports of one test are not for the next.
PATCHING = {
    "gevent": "from gevent import monkey\nmonkey.patch_all()\n",
    "gevent, a single module": "import gevent.monkey\n\ngevent.monkey.patch_socket()\n",
    "eventlet": "import eventlet\neventlet.monkey_patch()\n",
}
APP = "def app(environ, start_response): ...\n"
SHOW = """
import socket, sys
before = socket.socket
from multiserve.composition import compose
from multiserve.config.file import load_config

composition = compose(load_config(sys.argv[1]))
print(*(f"{loaded.mount.key} {loaded.error or 'ok'}" for loaded in composition.mounts), sep="\\n")
print("untouched" if socket.socket is before else "patched")
"""


def skip_without(library: str) -> None:
    """Skip a test whose library is not installed, without importing it: eventlet warns of each later fork."""
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")


def compose_in_process_of_its_own(folder: Path, mounts: str, before: str = "") -> str:
    (folder / "multiserve.toml").write_text(f"[mounts]\n{mounts}", "utf-8")
    command = [sys.executable, "-W", "ignore", "-c", before + textwrap.dedent(SHOW), str(folder / "multiserve.toml")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", PATCHING)
def test_a_mount_that_patches_the_process_is_refused_and_the_others_serve(tmp_path: Path, name: str) -> None:
    library = name.partition(",")[0]
    skip_without(library)
    (tmp_path / "patching.py").write_text(f"{PATCHING[name]}\n{APP}", "utf-8")
    (tmp_path / "plain.py").write_text(APP, "utf-8")
    line = PATCHING[name].count("\n")
    why = (
        f"multiserve.loading.monkey_patches.MonkeyPatchError: {library} patches the threads and sockets of all mounts: "
        f'leave it out, serve all of them with worker_class = "{library}", or this one in a process of its own, '
        f'with group = "NAME" on the mount and worker_class = "{library}" under [groups.NAME.gunicorn]'
    )
    place = f"({tmp_path}/patching.py, line {line})"
    shown = f"{line} | {PATCHING[name].splitlines()[line - 1].strip()}"
    assert compose_in_process_of_its_own(tmp_path, '"/" = "plain:app"\n"/x" = "patching:app"\n"/y" = "plain:app"') == (
        f'/ ok\n/x mounts."/x": importing "patching" failed: {why} {place}\n    {shown}\n/y ok\nuntouched\n'
    )


def test_what_is_patched_already_may_patch_again(tmp_path: Path) -> None:
    skip_without("gevent")
    (tmp_path / "patching.py").write_text(f"{PATCHING['gevent']}\n{APP}", "utf-8")
    assert compose_in_process_of_its_own(tmp_path, '"/x" = "patching:app"', PATCHING["gevent"]) == "/x ok\nuntouched\n"
