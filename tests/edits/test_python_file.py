from __future__ import annotations

import pytest

from multiserve.edits.python_file import edit_python
from multiserve.findings import Edit

CHANGED = [
    pytest.param('A = 1\nNAME = "old"  # c\n', 'A = 1\nNAME = "new"  # c\n', id="a name"),
    pytest.param("NAME = 'old'\r\nB = 2\r\n", "NAME = 'new'\r\nB = 2\r\n", id="its own quotes, and lines of Windows"),
    pytest.param("app.config['NAME'] = 'old'\n", "app.config['NAME'] = 'new'\n", id="an item of config"),
    pytest.param(
        'def make():\n    é = 1; app.config["NAME"] = "old"\n',
        'def make():\n    é = 1; app.config["NAME"] = "new"\n',
        id="behind other letters",
    ),
    pytest.param(
        'app.config.update(DEBUG=True, NAME="old")\n', 'app.config.update(DEBUG=True, NAME="new")\n', id="an argument"
    ),
    pytest.param('\ufeffNAME = "old"\n', '\ufeffNAME = "new"\n', id="behind a mark of the byte order"),
]


@pytest.mark.parametrize(("source", "changed"), CHANGED)
def test_a_literal_is_replaced_and_all_else_stays(source, changed):
    assert edit_python(source.encode(), Edit(key="NAME", old="old", new='"new"', file="x")).decode() == changed


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        pytest.param('A = 1\nNAME = "old"  # c\nB = 2\n', "A = 1\nB = 2\n", id="a line"),
        pytest.param('A = 1\nNAME = (\n    "old"\n)', "A = 1\n", id="several, at the end"),
    ],
)
def test_an_assignment_is_removed(source, changed):
    assert edit_python(source.encode(), Edit(key="NAME", old="old", file="x")) == changed.encode()


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('NAME = "other"\n', id="it has another value"),
        pytest.param('NAME = "o" + "ld"\n', id="an expression"),
        pytest.param('NAME = environ.get("NAME", "old")\n', id="from the environment"),
        pytest.param('NAME = "old"\nNAME = "old"\n', id="twice"),
        pytest.param('if DEBUG:\n    NAME = "old"\n', id="only sometimes"),
        pytest.param('NAME = "old"\nprint(NAME)\n', id="used elsewhere"),
        pytest.param('NAME = "old"\ndel NAME\n', id="deleted"),
        pytest.param("from base import NAME\n", id="imported"),
        pytest.param('NAME = "old\n', id="no Python any more"),
        pytest.param('NAME = "old"; A = 1\r', id="lines that end in another way"),
        pytest.param('# coding: latin-1\nNAME = "old"\n', id="another encoding"),
        pytest.param("A = 1\n", id="not there, and not to be added"),
    ],
)
def test_nothing_is_guessed(source):
    for new in ('"new"', None):
        assert edit_python(source.encode(), Edit(key="NAME", old="old", new=new, file="x")) is None


def test_no_statement_beside_another_is_removed():
    assert edit_python(b'NAME = "old"; A = 1\n', Edit(key="NAME", old="old", file="x")) is None


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        pytest.param("from base import *\n", 'from base import *\nNAME = "new"\n', id="at the end"),
        pytest.param("A = 1", 'A = 1\nNAME = "new"\n', id="without a newline"),
        pytest.param('NAME = "old"\n', 'NAME = "new"\n', id="replaced where it is there"),
    ],
)
def test_a_setting_of_django_is_added(source, changed):
    edit = Edit(key="NAME", old="old", new='"new"', file="x", adds=True)
    assert edit_python(source.encode(), edit) == changed.encode()
