"""How the commands are run."""

from __future__ import annotations

import pytest

from multiserve import cli


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run the command in the test's own folder and give its exit code, and what it writes to stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main(args, prog_name="multiserve")
        return caught.value.code, *capsys.readouterr()

    return run
