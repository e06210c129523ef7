"""Functions that the file names are imported, checked, and called later."""

from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.config.targets import parse_target
from multiserve.errors import LoadError, Problem
from multiserve.loading.functions import load_function

pytestmark = pytest.mark.usefixtures("clean_process")

JOBS = """
ran = []
def start(*given):
    ran.append(given)
    return len(ran)
async def wait(): ...
def none(): ...
number = 1
"""

WRONG = {
    "jobs_of_shop:strat": ('"jobs_of_shop" has no "strat" ({file})', 'Did you mean "start"?'),
    "jobs_of_shop:number": (
        '"jobs_of_shop:number" is an int, which cannot be called',
        "Name a function.",
    ),
    "jobs_of_shop:none(1)": (
        '"jobs_of_shop:none" was called wrongly: too many positional arguments',
        "It takes no arguments.",
    ),
    "jobs_of_shop:wait": ('"jobs_of_shop:wait" is async', "Write a plain function; it may call asyncio.run()."),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "jobs_of_shop.py").write_text(JOBS, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "given"),
    [("jobs_of_shop:start", ()), ("jobs_of_shop:start('a', 2)", ("a", 2)), ("jobs_of_shop:start(prefix)", ("/shop",))],
)
def test_a_function_is_called_later_with_the_arguments_of_the_file(
    folder: Path, text: str, given: tuple[object]
) -> None:
    function = load_function(parse_target(text), prefix="/shop", key="startup", folder=folder)
    import jobs_of_shop  # type: ignore[import-not-found]

    assert jobs_of_shop.ran == []
    assert function() == 1
    assert jobs_of_shop.ran == [given]


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_called_is_a_problem(folder: Path, text: str) -> None:
    message, hint = WRONG[text]
    with pytest.raises(LoadError) as caught:
        load_function(parse_target(text), prefix="", key='mounts."/".startup', folder=folder)
    message = message.format(file=folder / "jobs_of_shop.py")
    assert caught.value.problems == (Problem(key='mounts."/".startup', message=message, hint=hint),)
