from __future__ import annotations

import tomllib

import pytest
from click.testing import CliRunner

from multiserve.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, ["import", *args])


def test_it_prints_a_file(run, tmp_path):
    (tmp_path / "Procfile").write_text("web: gunicorn -b 127.0.0.1:9000 shop:app\nworker: celery -A shop worker\n")
    result = run("Procfile")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        '# From Procfile, as "multiserve import" reads it.\n'
        '# Save it as multiserve.toml; then run "multiserve check", which loads everything.\n'
        "\n[mounts]\n"
        '"/" = "shop:app"\n'
        '\n[server]\nhost = "127.0.0.1"\nport = 9000\n'
        "\n# Not carried over, or not as it was:\n"
        "# - line 2: worker: celery -A shop worker\n"
        "#     It starts no server of a Python application that is known: let something else start it.\n"
    )
    assert tomllib.loads(result.stdout)["mounts"] == {"/": "shop:app"}
    assert [path.name for path in tmp_path.iterdir()] == ["Procfile"]


def test_what_it_reads_is_never_executed(run, tmp_path):
    (tmp_path / "run_both.py").write_text(
        "from werkzeug.middleware.dispatcher import DispatcherMiddleware\n"
        "open('executed', 'w')\n"
        "from shop import app\n"
        "application = DispatcherMiddleware(app, {'/admin': app})\n"
    )
    (tmp_path / "shop.py").write_text("open('imported', 'w')\n")
    assert run("run_both.py").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_both.py", "shop.py"]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("gone.ini", None, "Error: gone.ini:\nno such file\n"),
        ("notes.txt", "x", "Error: notes.txt:\nthis is none of the files that can be imported\n"),
        ("Procfile", "worker: celery", "Error: Procfile:\nnothing in it can be mounted\nline 1: worker: celery\n"),
    ],
)
def test_mistakes(run, tmp_path, name, text, error):
    if text is not None:
        (tmp_path / name).write_text(text)
    result = run(name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(error)
