"""Borrowed modules are found behind or before those of the environment, and nothing else is."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys

import pytest

from multiserve.interpreters.borrowing import (
    VARIABLE,
    Borrowed,
    borrow,
    borrow_what_was_handed_over,
    variables_to_hand_on,
)


@pytest.fixture
def folder(tmp_path):
    """Give a folder with a package and a module in it."""
    (tmp_path / "borrowed_package").mkdir()
    (tmp_path / "borrowed_package" / "__init__.py").touch()
    (tmp_path / "borrowed_module.py").touch()
    return tmp_path


@pytest.fixture(autouse=True)
def _own_finders(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))


def test_only_modules_with_these_names_are_found(folder):
    finder = Borrowed({"borrowed_package": str(folder), "gone": str(folder)}, "")
    assert finder.find_spec("borrowed_package").origin == str(folder / "borrowed_package" / "__init__.py")
    assert [finder.find_spec(name) for name in ("borrowed_module", "borrowed_package.inner", "gone")] == [None] * 3


def test_the_environment_goes_first_but_for_what_does_not_fit(folder):
    before = list(sys.meta_path)
    borrow(json.dumps({"modules": {"borrowed_package": str(folder)}, "first": {"borrowed_module": str(folder)}}))
    first, *middle, last = sys.meta_path
    assert middle == before
    assert (first.folders, last.folders) == ({"borrowed_module": str(folder)}, {"borrowed_package": str(folder)})


def test_nothing_is_put_first_where_all_fits(folder):
    before = list(sys.meta_path)
    borrow(json.dumps({"modules": {}, "first": {}}))
    assert sys.meta_path[:-1] == before


def test_metadata_answers_as_if_nothing_were_borrowed(folder):
    text = "Metadata-Version: 2.1\nName: borrowed_package\nVersion: 1\n"
    (folder / "borrowed_package-1.dist-info").mkdir()
    (folder / "borrowed_package-1.dist-info" / "METADATA").write_text(text)
    modules = {"borrowed_package": str(folder)}
    borrow(json.dumps({"modules": modules, "first": modules}))
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("borrowed_package")


def test_what_was_handed_over_is_hidden_from_the_application_and_can_be_handed_on(monkeypatch):
    text = json.dumps({"modules": {}, "first": {}})
    monkeypatch.setenv(VARIABLE, text)
    borrow_what_was_handed_over()
    assert VARIABLE not in os.environ
    assert variables_to_hand_on() == {VARIABLE: text}


def test_nothing_is_borrowed_where_nothing_was_handed_over():
    before = list(sys.meta_path)
    borrow_what_was_handed_over()
    assert sys.meta_path == before
    assert variables_to_hand_on() == {}
