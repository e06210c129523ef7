from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.importers import paste_ini


def read(text):
    draft = paste_ini.read(Path("site.ini"), text)
    return {mount.key: mount.options.get("app") for mount in draft.mounts}, [note.reason for note in draft.notes]


def test_a_section_takes_the_settings_of_the_one_that_it_uses():
    text = "[app:main]\nuse = base\nset a = 2\nb = 3\n[app:base]\npaste.app_factory = m:f\nb = 1\nc = 1\n"
    assert read(f"[DEFAULT]\na = 1\n{text}")[0] == {"/": "m:f({'a': '2'}, b='3', c='1')"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[app:main]\nuse = call:m:f\nx = %(here)s/y\n", id="in a setting"),
        pytest.param("[DEFAULT]\na = %(here)s/y\n[app:main]\nuse = call:m:f\n", id="in what every application gets"),
        pytest.param("[DEFAULT]\na = %(here)s\n[app:main]\nuse = call:m:f\nx = %(a)s/y\n", id="by another name"),
    ],
)
def test_what_is_in_the_folder_of_the_file_is_left_to_pastedeploy(text):
    assert read(text)[0] == {"/": "paste:site.ini#main"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(
            "[app:main]\nuse = other\n[app:other]\nuse = main\n",
            'The sections use one another in a circle. PasteDeploy loads it: pip install "multiserve[paste]".',
            id="sections that use each other",
        ),
        pytest.param(
            "[app:main]\nx = 1\n",
            'It does not say what it uses. PasteDeploy loads it: pip install "multiserve[paste]".',
            id="nothing is used",
        ),
        pytest.param(
            "[app:main]\nuse = call:m:f\nx = %(here)s/y\n",
            "An argument cannot name the folder of the file: %(here)s/y. "
            'PasteDeploy loads it: pip install "multiserve[paste]".',
            id="the folder of the file",
        ),
        pytest.param("[pipeline:main]\npipeline = main\n", "It contains itself.", id="a pipeline in itself"),
        pytest.param(
            "[app:one]\nuse = call:m:f\n[app:two]\nuse = call:m:f\n",
            "There is no main application: name the one that is served main.",
            id="no main",
        ),
    ],
)
def test_what_is_noted(text, reason):
    assert reason in read(text)[1]


@pytest.mark.parametrize(
    ("key", "mounted"),
    [
        ("/", "/"),
        ("/a/", "/a"),
        ("domain example.com", "example.com"),
        ("domain example.com port 8080 /a/", "example.com:8080/a"),
    ],
)
def test_keys_of_a_urlmap(key, mounted):
    text = f"[composite:main]\nuse = egg:Paste#urlmap\n{key} = one\n[app:one]\nuse = call:m:f\n"
    assert read(text)[0] == {mounted: "m:f({})"}
