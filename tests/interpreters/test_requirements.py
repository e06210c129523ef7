"""Requirements are read and compared as packaging's specification says, as far as our dependencies use it."""

from __future__ import annotations

import pytest

from multiserve.interpreters.requirements import Requirement, fits, normalise_name, parse_requirement

READ = {
    "a name": ("click", Requirement("click")),
    "versions": ("werkzeug>=3.1.3,<4", Requirement("werkzeug", ">=3.1.3,<4")),
    "versions in brackets": ("MarkupSafe (>=2.1.1)", Requirement("markupsafe", ">=2.1.1")),
    "spaces": (" typing_extensions >= 4.0 , < 5 ", Requirement("typing-extensions", ">=4.0,<5")),
    "extras": ("uvicorn[standard]>=0.35", Requirement("uvicorn", ">=0.35")),
    "a marker": ("gunicorn>=22; sys_platform != 'win32'", Requirement("gunicorn", ">=22", "sys_platform != 'win32'")),
}


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_a_requirement_is_read(text, expected):
    assert parse_requirement(text) == expected


def test_what_is_no_requirement_is_refused():
    with pytest.raises(ValueError, match=r"^@!$"):
        parse_requirement("@!")


def test_a_requirement_is_printed_as_pip_takes_it():
    assert str(parse_requirement("MarkupSafe (>=2.1.1, <4); python_version < '4'")) == "markupsafe>=2.1.1,<4"


def test_all_spellings_of_a_name_are_one():
    assert {normalise_name(name) for name in ("Typing_Extensions", "typing.extensions", "typing-extensions")} == {
        "typing-extensions"
    }


# version, versions -> whether it is among them.
VERSIONS = [
    ("1.0", "", True),
    ("3.1.3", ">=3.1.3", True),
    ("3.1.2", ">=3.1.3", False),
    ("3.10", ">=3.9", True),
    ("22", ">=22.0.0", True),
    ("22.0.0", "==22", True),
    ("4.0", ">=3.1.3,<4", False),
    ("3.9.9", ">=3.1.3,<4", True),
    ("3.9.9", ">= 3.1.3, < 4", True),
    ("2.0", "!=2.0", False),
    ("2.0", "!=2.0.*", False),
    ("2.1", "!=2.0.*", True),
    ("2.0.7", "==2.0.*", True),
    ("2.1", "==2.0.*", False),
    ("2.5", "~=2.2", True),
    ("3.0", "~=2.2", False),
    ("2.2.9", "~=2.2.1", True),
    ("2.3", "~=2.2.1", False),
    ("2.2", "~=2.2.1", False),
    ("2.0", ">2.0", False),
    ("2.0.1", ">2.0", True),
    ("2.0", "<=2.0", True),
    ("2.0", "===2.0", True),
    ("2.0.0", "===2.0", False),
    ("22.0rc1", ">=22", False),
    ("22.0.dev3", ">=22", False),
    ("22.0.post1", ">=22", True),
    ("22.0+local", ">=22", True),
    ("v22", ">=22", True),
    ("", ">=22", False),
    ("unknown", "", True),
]


@pytest.mark.parametrize(("version", "versions", "expected"), VERSIONS)
def test_a_version_fits_or_not(version, versions, expected):
    assert fits(version, versions) is expected


LINUX = {"python_version": "3.9", "python_full_version": "3.9.18", "sys_platform": "linux", "extra": ""}
# marker -> whether the requirement counts.
MARKERS = {
    "": True,
    "sys_platform != 'win32'": True,
    "sys_platform == 'win32'": False,
    "python_version < '3.11'": True,
    "python_version < '3.10'": True,
    "python_version >= '3.10'": False,
    "python_full_version <= '3.11.2'": True,
    "extra == 'standard'": False,
    "python_version < '3.11' and extra == \"standard\"": False,
    "(sys_platform == 'win32' or python_version < '3.11') and sys_platform == 'linux'": True,
    "sys_platform in 'linux darwin'": True,
    "sys_platform not in 'linux darwin'": False,
    "'3.10' > python_version": True,
    "sys_platform > 'a'": True,
}


@pytest.mark.parametrize(("marker", "expected"), MARKERS.items(), ids=str)
def test_a_marker_says_whether_a_requirement_counts(marker, expected):
    assert Requirement("anything", marker=marker).counts(LINUX) is expected
