"""Makes an environment for each composition of published applications, one after another, and runs their tests.

They are kept in build/published, and made anew when what they need has changed. Arguments are parts of names of
compositions; without any, all are made. What cannot be installed is skipped by the tests, and named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
ENVIRONMENTS = ROOT / "build" / "published"


def main(parts: list[str]) -> int:
    """Make the environments, run the tests, and return their exit code."""
    names = sorted(path.parent.name for path in FOLDER.glob("*/published.toml"))
    for name in names:
        if not parts or any(part in name for part in parts):
            _make(name)
    command = [sys.executable, "-m", "pytest", str(FOLDER), *(["-k", " or ".join(parts)] if parts else [])]
    environment = {**os.environ, "MULTISERVE_PUBLISHED": str(ENVIRONMENTS)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _make(name: str) -> None:
    """Make the environment of a composition, unless there is one with the same requirements."""
    requirements = tomllib.loads((FOLDER / name / "published.toml").read_text("utf-8"))["requirements"]
    folder = ENVIRONMENTS / name
    stamp, wanted = (
        folder / "requirements.txt",
        "\n".join([*requirements, (ROOT / "pyproject.toml").read_text("utf-8")]),
    )
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return
    print(f"installing {name}: {', '.join(requirements)}", flush=True)  # noqa: T201
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*install, "--editable", str(ROOT), *requirements], check=False)
    if done.returncode:
        print(f"{name} cannot be installed", flush=True)  # noqa: T201
        shutil.rmtree(folder)
    else:
        stamp.write_text(wanted, "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
