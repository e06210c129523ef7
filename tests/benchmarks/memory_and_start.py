"""Memory and start: ten applications in one multiserve against ten gunicorns, a change in development, the commands."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

from processes import GTHREAD, Server, gunicorn, memory, multiserve_with, serving, starting, table_of, wait_for
from rounds import Contender, Effort, Row, Sample, at_most, compare

_TEN = {f"/app{number}": "make_flask()" for number in range(10)}
_COMMAND = Path(sys.executable).with_name("multiserve")
_FLASK = gunicorn("one gunicorn", "make_flask()", *GTHREAD)
_GUNICORNS = (_FLASK,) * 10


def run(effort: Effort) -> Iterator[Row]:
    """Measure all, and yield their rows."""
    if sys.platform == "linux":  # the others do not tell what processes share
        yield from _memory(effort)
    yield from _first_answer(effort)
    yield from _changes(effort)
    yield from _commands(effort)


def _ten(workers: int, *, preload: bool = False) -> Server:
    settings = f"[gunicorn]\nworkers = {workers}\npreload_app = {str(preload).lower()}\n"
    return multiserve_with("ten Flask applications", _TEN, "/app0/hello", settings=settings)


def _apart() -> Server:
    mounts = "".join(f'"{key}" = {{ app = "hello:{app}", group = "{key[1:]}" }}\n' for key, app in _TEN.items())
    groups = "".join(f"[groups.{key[1:]}]\n" for key in _TEN)
    return multiserve_with(
        "ten Flask applications, each in a group", {}, "/app9/hello",
        settings=f"{table_of({})}{mounts}{groups}[gunicorn]\nworkers = 1\n",
    )  # fmt: skip


def _memory(effort: Effort) -> Iterator[Row]:
    ten = Contender("ten gunicorns, a worker each", partial(_megabytes, _GUNICORNS))
    ours = Contender("MB, ten Flask applications, 1 worker", partial(_megabytes, [_ten(1)]))
    four = Contender("MB, the same, 4 workers", partial(_megabytes, [_ten(4)]))
    apart = Contender("MB, the same, each in a group", partial(_megabytes, [_apart()]))
    yield from compare(ten, [ours, four, apart], effort.starts)
    preloaded = Contender("MB, the same, 4 workers, preload_app", partial(_megabytes, [_ten(4, preload=True)]))
    yield from compare(Contender("without preload_app", four.measure), [preloaded], effort.starts)


def _megabytes(servers: Sequence[Server]) -> Sample:
    with serving(servers) as running:
        for each in running:
            wait_for(each)  # once more: all of them have answered by now
        return Sample(sum(memory(each.session) for each in running))


def _first_answer(effort: Effort) -> Iterator[Row]:
    ours = [
        Contender("ms to the first answer, ten Flask", partial(_start, [_ten(1)])),
        Contender("ms, the same with preload_app", partial(_start, [_ten(1, preload=True)])),
        Contender("ms, the same, each in a group", partial(_start, [_apart()])),
    ]
    yield from compare(Contender("one gunicorn, one Flask", partial(_start, [_FLASK])), ours, effort.starts)
    yield from compare(
        Contender("ten gunicorns, till all answer", partial(_start, _GUNICORNS)), ours[:1], effort.starts
    )


def _start(servers: Sequence[Server]) -> Sample:
    """Measure the milliseconds till all of some servers answer."""
    began = time.perf_counter()
    with ExitStack() as stack:
        for each in [stack.enter_context(starting(server)) for server in servers]:
            wait_for(each)
        return Sample((time.perf_counter() - began) * 1e3)


_CHANGED = (
    *("flask run --debug", "ms from save to answer", "ms, the same, mixed set"),
    "ms, the same, isolated, beside one of 4 s",
)


def _changes(effort: Effort) -> Iterator[Row]:
    source = {"changing.py": _source(0), "multiserve.toml": '[mounts]\n"/app" = "changing:app"\n'}
    run = ("run", "--port", "{port}")
    ours = Server("", ("multiserve", *run), "/app/hello", source)
    mixed = {**source, "multiserve.toml": table_of({"/other": "echo"}) + '"/app" = "changing:app"\n'}
    peer = Server("", ("flask", "--app", "changing", *run, "--debug"), "/hello", source)
    beside = {
        "changing.py": _source(0),
        "slow.py": f"import time\ntime.sleep(4)\n{_source(0)}",
        "multiserve.toml": f'{source["multiserve.toml"]}"/slow" = "slow:app"\n[development]\nisolate = true\n',
    }
    others = [Server("", ours.command, ours.path, files) for files in (mixed, beside)]
    with serving([peer, ours, *others]) as running:
        numbers = count(1)

        def measure(place: int) -> Sample:
            number, each = next(numbers), running[place]
            began = time.perf_counter()
            (each.folder / "changing.py").write_text(_source(number), "utf-8")
            wait_for(each, _text(number).encode())
            return Sample((time.perf_counter() - began) * 1e3)

        contenders = [Contender(name, partial(measure, place)) for place, name in enumerate(_CHANGED)]
        yield from compare(contenders[0], contenders[1:], effort.starts)


def _source(number: int) -> str:
    return f"""
from flask import Flask

app = Flask(__name__)
app.add_url_rule("/hello", view_func=lambda: "{_text(number)}")
"""


def _text(number: int) -> str:
    """Give texts of different lengths: by them and by the second Python knows that its compiled file is an old one."""
    return f"<{'x' * number}>"


def _commands(effort: Effort) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        Path(name, "multiserve.toml").write_text(table_of({"/app": "bare_wsgi", "/other": "bare_wsgi"}), "utf-8")
        python = [sys.executable, "-c"]
        peer = Contender('python -c "import click"', partial(_command, [*python, "import click"], name))
        goal = at_most(2.0)
        for arguments, wanted in (["--help"], goal), (["routes"], goal), (["check"], None):
            ours = Contender(f"ms, multiserve {arguments[0]}", partial(_command, [str(_COMMAND), *arguments], name))
            yield from compare(peer, [ours], effort.rounds, wanted, slices=effort.starts)
        ours = Contender("ms, import multiserve", partial(_command, [*python, "import multiserve"], name))
        yield from compare(peer, [ours], effort.rounds, slices=effort.starts)


def _command(command: list[str], folder: str) -> Sample:
    """Measure the milliseconds of a command, and of the processor for it as the second figure."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    took, after = time.perf_counter() - began, os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return Sample(took * 1e3, busy * 1e3)
