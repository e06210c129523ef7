"""A function is called with a module once it is there, and no longer than the block lasts."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from multiserve.loading.import_hooks import at_import


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hooked_one", "hooked_two", "hooked_three"):
        (tmp_path / f"{name}.py").write_text("loaded = True\n", "utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("modules")
def test_a_module_that_is_imported_already_and_one_that_will_be() -> None:
    seen: list[tuple[str, bool]] = []
    importlib.import_module("hooked_one")
    with at_import(("hooked_one", "hooked_two"), lambda module: seen.append((module.__name__, module.loaded))):
        assert seen == [("hooked_one", True)]
        importlib.import_module("hooked_two")
        importlib.import_module("hooked_three")
    assert seen == [("hooked_one", True), ("hooked_two", True)]


@pytest.mark.usefixtures("modules")
def test_two_that_wait_for_the_same_module_are_both_called() -> None:
    seen: list[str] = []
    with (
        at_import(["hooked_one"], lambda _: seen.append("outer")),
        at_import(["hooked_one"], lambda _: seen.append("inner")),
    ):
        importlib.import_module("hooked_one")
    assert seen == ["outer", "inner"]


@pytest.mark.usefixtures("modules")
def test_nothing_is_called_afterwards_and_a_module_that_is_not_there_is_reported_as_ever() -> None:
    seen: list[object] = []
    finders = list(sys.meta_path)
    with at_import(["hooked_one", "hooked_four"], seen.append), pytest.raises(ModuleNotFoundError, match="hooked_four"):
        importlib.import_module("hooked_four")
    assert sys.meta_path == finders
    importlib.import_module("hooked_one")
    assert seen == []


@pytest.mark.usefixtures("modules")
def test_a_module_keeps_its_own_loader_and_can_be_loaded_again() -> None:
    seen: list[str] = []
    with at_import(["hooked_one"], lambda module: seen.append(module.__name__)):
        module = importlib.import_module("hooked_one")
        importlib.invalidate_caches()
    assert type(module.__spec__.loader).__name__ == "SourceFileLoader"
    importlib.reload(module)
    assert seen == ["hooked_one"]


@pytest.mark.usefixtures("modules")
def test_a_finder_that_has_been_taken_away_finds_nothing() -> None:
    with at_import(["hooked_one"], lambda _: None):
        finder = sys.meta_path[0]
    assert finder.find_spec("hooked_one", None) is None
