from __future__ import annotations

from multiserve.importers.ini_lines import read_entries

TEXT = """# a comment
key = value
[one]
list =
    a
    b = c
; another
colon: value
flag
  [two]
key = a = b
"""


def entries(text, *args, **options):
    return [(each.section, each.key, each.value, each.line) for each in read_entries(text, *args, **options)]


def test_entries_have_their_lines():
    assert entries(TEXT, "=:") == [
        ("", "key", "value", 2),
        ("one", "list", "a\nb = c", 4),
        ("one", "colon", "value", 8),
        ("one", "flag", "", 9),
        ("two", "key", "a = b", 11),
    ]


def test_without_continued_lines_an_indented_one_stands_for_itself():
    assert entries("[a]\nx = 1\n  y = 2\n", continued=False) == [("a", "x", "1", 2), ("a", "y", "2", 3)]


def test_a_long_entry_is_shown_in_short():
    (entry,) = read_entries(f"x = {'y' * 200}")
    assert entry.what == f"x = {'y' * 93}..."
