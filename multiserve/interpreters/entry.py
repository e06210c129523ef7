"""The script that another Python runs to call a function of multiserve: `entry.py MODULE:FUNCTION [ARGUMENT]...`.

It is a file, as gunicorn runs the same command again for SIGUSR2. Until multiserve can be imported, it imports the
standard library alone.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

_FOLDER = Path(__file__).parent
_SHORTEST = 2  # arguments: the script and the target


def main() -> int | str | None:
    """Call the function that the first argument names, with the others in `sys.argv` as for the command line."""
    if len(sys.argv) < _SHORTEST:
        sys.exit("usage: entry.py MODULE:FUNCTION [ARGUMENT]...")
    _leave_out_own_folder()
    _borrow()
    module, _, name = sys.argv.pop(1).partition(":")
    sys.argv[0] = "multiserve"
    call: Callable[[], int | str | None] = getattr(import_module(module), name)
    return call()


def _leave_out_own_folder() -> None:
    """Take the folder of the script from the search path: Python puts it first, or that of the file it is a link to."""
    own = {_FOLDER, Path(__file__).resolve().parent}
    sys.path[:] = [each for each in sys.path if not each or Path(each) not in own]


def _borrow() -> None:
    """Make multiserve importable, by a module that is in no package yet."""
    spec = importlib.util.spec_from_file_location("_multiserve_borrowing", _FOLDER / "borrowing.py")
    if spec is None or spec.loader is None:
        sys.exit(f"{_FOLDER / 'borrowing.py'} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.borrow_what_was_handed_over()


if __name__ == "__main__":
    sys.exit(main())
