"""What a syntax error of TOML means: the slips that people make, known by the line that the parser stopped at."""

from __future__ import annotations

import re
from typing import NamedTuple

_KEY = r"""(?P<key>(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)"""
_SET = rf"\s*{_KEY}\s*=\s*"  # everything in front of the value, at the top level of a table
_END = r"(?:\s+#.*|\s*)"
_VALUE = rf"(?P<value>\S.*?){_END}"
_CURLY = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"  # what word processors make of quotes
_STRAIGHT = dict.fromkeys(map(ord, _CURLY), '"')
_NEEDS_NO_QUOTES = re.compile(r""""[^"]*"|'[^']*'|[\[{].*|true|false|[+-]?\d+(?:\.\d+)?""")
_LONGEST = 1000  # characters of a line that a person may have written


class Slip(NamedTuple):
    """A syntax error as its author understands it.

    Attributes:
        message: What is wrong.
        hint: What to write instead; empty if that is not known.
        line: The number of the line, from 1 on.
        column: Where on the line, from 1 on.
    """

    message: str
    hint: str
    line: int
    column: int


class _Rule(NamedTuple):
    """One slip: what the parser says about it, and what stands before and after the place where it stopped.

    The groups of the three patterns fill the message and the hint; a group `here` is the place to point at.
    """

    said: str
    before: str
    after: str
    message: str
    hint: str


def explain(text: str, line: int, column: int, said: str) -> Slip:
    """Return what a syntax error means; if that is not known, what the parser said.

    Args:
        text: The whole document.
        line: The line at which the parser stopped.
        column: The column at which it stopped.
        said: The message of the parser.
    """
    lines = [each.removesuffix("\r") for each in text.split("\n")]
    if said in _AT_THE_END:  # the parser looked for the other quote up to the end of the file
        line, column = _open_quote(lines, _AT_THE_END[said]) or (line, column)
    shown = lines[line - 1]
    if len(shown) > _LONGEST:
        return Slip(said, "", line, column)
    before, after = shown[: column - 1], shown[column - 1 :]
    for rule in _RULES:
        matches = re.fullmatch(rule.said, said), re.fullmatch(rule.before, before), re.fullmatch(rule.after, after)
        if all(matches):
            fields = {name: found for match in matches if match for name, found in match.groupdict("").items()}
            here = matches[1].start("here") + 1 if matches[1] and "here" in matches[1].groupdict() else column
            words = _Words(fields, next(iter(after), ""), _earlier(lines, line, fields.get("twice", "")))
            return Slip(rule.message.format_map(words), rule.hint.format_map(words), line, here)
    return Slip(said, "", line, column)


class _Words(dict[str, str]):
    """What messages and hints are filled with: the groups of the patterns, mended."""

    def __init__(self, groups: dict[str, str], mark: str, earlier: int) -> None:
        super().__init__(groups)
        self["mark"] = mark
        self["earlier"] = f"Line {earlier} has it as well: keep" if earlier else "Keep"
        self["value"] = _as_value(groups.get("value", ""))
        self["lower"] = groups.get("value", "").lower()
        self["straight"] = groups.get("curly", "").translate(_STRAIGHT)
        self["close"] = {"array": "]", "inline table": "}"}.get(groups.get("what", ""), "")
        self["called"] = {"array": "list", "inline table": "table"}.get(groups.get("what", ""), "")


def _as_value(text: str) -> str:
    """Spell as TOML what was meant as a value."""
    if _NEEDS_NO_QUOTES.fullmatch(text):
        return text
    text = text.translate(_STRAIGHT).strip("\"'")
    return f"'{text}'" if '"' in text else f'"{text}"'


def _open_quote(lines: list[str], quote: str) -> tuple[int, int] | None:
    """Return the end of the last line that opens a text which nothing closes."""
    for number in range(len(lines), 0, -1):
        if lines[number - 1].count(quote) % 2:
            return number, len(lines[number - 1]) + 1
    return None


def _earlier(lines: list[str], line: int, key: str) -> int:
    """Return the line that has the same key above, in the same table for the key of a value; 0 if it is not found."""
    for number in range(line - 1, 0, -1):
        found = lines[number - 1].strip()
        if found.startswith(key) and re.fullmatch(r"\]?\s*(?:=.*|#.*)?", found[len(key) :]):
            return number if key else 0
        if found.startswith("[") and not key.startswith("["):
            return 0
    return 0


_AT_THE_END = {'Expected "\'"': "'", "Expected \"'''\"": "'''", "Unterminated string": '"'}
_LINE = r"""(?:Illegal character '\\n'|Unterminated string|Expected "'")"""
_STATEMENT = "(?:Invalid statement|Invalid initial character for a key part)"
_EQUALS = "Expected '=' after a key in a key/value pair"
_NEWLINE = "Expected newline or end of document after a statement"
_IN_QUOTES = 'a key with "{mark}" in it is written in quotes'
_COMMENT = r"(?P<comment>//(?!\w*\s*=)|/\*|;|--|<!--).*"
_NO_QUOTE = "the text has no quote at its end"

_RULES = tuple(
    _Rule(*each)
    for each in (
        # The value.
        ("Invalid value", _SET, rf"(?P<value>[Tt](?i:rue)|[Ff](?i:alse)){_END}",
         "true and false have no capitals", "Write {key} = {lower}."),
        ("Invalid value", _SET, rf"(?:None|null|nil){_END}", "TOML has no value for nothing", "Take the line out."),
        ("Invalid value", _SET, "(?:#.*)?", "there is no value behind the =", "Write it on the same line."),
        ("Invalid value", _SET, rf"[=>]\s*{_VALUE}", "a key and its value have one = between them",
         "Write {key} = {value}."),
        ("Invalid value", _SET, rf"(?P<value>[{_CURLY}].*?){_END}", "the quotes are typographic ones",
         "Write {key} = {value}."),
        ("Invalid value", _SET, rf"(?P<value>[\w.~*$/-].*?){_END}", "a text is written in quotes",
         "Write {key} = {value}."),
        ("Invalid value", ".*", r"(?P<value>[\w.~*$/-][^\s,\]}]*).*", "a text is written in quotes", "Write {value}."),
        # The quote at the end of a text, or of a key.
        (_LINE, r"""\s*["'](?P<start>[^"'=]*?)(?P<here>)\s*=\s*(?P<value>.*)""", "", "the key has no quote at its end",
         'Write "{start}" = {value}.'),
        (_EQUALS, r"""\s*["'](?P<start>[^"'=]*?)(?P<here>)\s*=\s*["']""", rf"""(?P<rest>[^"']*)["']{_END}""",
         "the key has no quote at its end", 'Write "{start}" = "{rest}".'),
        (_LINE, rf"""{_SET}(?!"{{3}})["'](?P<rest>[^"']*?)["']?(?:\s+#.*)?""", "", _NO_QUOTE,
         'Write {key} = "{rest}".'),
        (_LINE, r""".*(?P<here>["'])[^"']*""", "", _NO_QUOTE, "Write the same quote at its end."),
        # Keys and tables that are there twice.
        ("Cannot overwrite a value", rf"\s*(?P<here>)(?P<twice>{_KEY})\s*=.*", "", "the key {key} is there twice",
         "{earlier} one of the two."),
        ("Cannot overwrite a value", r"\s*(?P<here>)\[.*", r"\].*", "the key of this table is there already",
         "Keep one of the two."),
        (r"Cannot declare .* twice", r"\s*(?P<here>)(?P<twice>\[.*)", r"\].*", "the table {twice}] is there twice",
         "{earlier} one of the two, with the lines of both."),
        ("Duplicate inline table key '(?P<key>.*)'", ".*", ".*", "the key {key} is there twice",
         "Keep one of the two."),
        # What is between a key and its value.
        (_EQUALS, r"\s*(?P<start>[\w.-]+)", rf"(?P<rest>[^\s=\"':][^\s=\"']*|:[^\s=\"']+)\s*=\s*{_VALUE}", _IN_QUOTES,
         'Write "{start}{rest}" = {value}.'),
        (_EQUALS, r"\s*(?P<key>[\w.-]+)\s*", rf":{_END}", "a table has its name in brackets", "Write [{key}]."),
        (_EQUALS, rf"\s*{_KEY}\s*", rf":\s*{_VALUE}", "a key and its value have = between them, not a colon",
         "Write {key} = {value}."),
        (_EQUALS, r".*[{,]\s*[\"']?(?P<key>[\w-]+)[\"']?\s*", r":\s*(?P<value>[^,}]*?)\s*[,}].*",
         "a key and its value have = between them, not a colon", "Write {key} = {value}."),
        (_EQUALS, r"\s*(?P<start>[\w.-]+)\s+", rf"(?P<rest>[\w .-]+?)\s*=\s*{_VALUE}",
         "a key with a space in it is written in quotes", 'Write "{start} {rest}" = {value}.'),
        (_EQUALS, rf"\s*{_KEY}\s*", _END, "there is no = behind the key, and no value", 'Write {key} = "...".'),
        (_EQUALS, rf"\s*{_KEY}\s+", _VALUE, "a key and its value have = between them", "Write {key} = {value}."),
        # The key.
        (_STATEMENT, r"\s*", _COMMENT, "a comment begins with #", 'Write # in place of "{comment}".'),
        (_STATEMENT, r"\s*", rf"(?P<curly>[{_CURLY}].*)", "the quotes are typographic ones", "Write {straight}."),
        (_STATEMENT, r"\s*", r"\{\s*(?:[\"}].*)?", "this is JSON, not TOML",
         'Write [mounts], and below it lines such as "/" = "module:app".'),
        (_STATEMENT, r"\s*\[(?P<table>(?:[\w-]+\.)*mounts)\.", r"(?P<rest>[^\]\"']+)\].*", _IN_QUOTES,
         'Write [{table}."{rest}"].'),
        (_STATEMENT, r"\s*\[", r"(?P<rest>[/*{][^\]\"']*)\].*", _IN_QUOTES, 'Write [mounts."{rest}"].'),
        (_STATEMENT, r"\s*(?P<start>[\w.-]*)", rf"(?P<rest>[^\s=\"'\[][^=\"']*?)\s*(?:=|:\s)\s*{_VALUE}", _IN_QUOTES,
         'Write "{start}{rest}" = {value}.'),
        # The name of a table.
        (r"Expected '\]' at the end of a table declaration", r"\s*\[(?P<table>(?:[\w-]+\.)*mounts)",
         r"(?P<rest>/[^\]\"']*)\].*", _IN_QUOTES, 'Write [{table}."{rest}"].'),
        (r"Expected '\]' at the end of a table declaration", r"\s*(?P<start>\[.*?)\s*", _END,
         "the name of a table has no ] at its end", "Write {start}]."),
        # What follows a value.
        (_NEWLINE, r"\s*\[.*\]\s*", ".*", "the name of a table is alone on its line",
         "Write the rest on the next line."),
        (_NEWLINE, ".*", rf"(?P<rest>[,;]){_END}", '"{rest}" cannot follow a value', "Take it out."),
        (_NEWLINE, ".*", _COMMENT, "a comment begins with #", 'Write # in place of "{comment}".'),
        (_NEWLINE, rf"{_SET}\"(?P<start>[^\"]*)\"", rf"(?P<rest>[^\"]*\".*)\"{_END}",
         "a double quote inside the text ends it", "Write {key} = '{start}\"{rest}'."),
        (_NEWLINE, rf"{_SET}[+-]?\d+", rf"(?:\d+|[,'_ ]\d+|\s?[A-Za-z]+){_END}",
         "a number has no zero in front, no comma and no unit", "Write its digits alone."),
        (_NEWLINE, rf"{_SET}(?P<here>)(?P<start>[^\s\"'\[{{]+)", rf"(?P<rest>[^\s\"'].*?){_END}",
         "a text is written in quotes", 'Write {key} = "{start}{rest}".'),
        # Lists, tables within a line, backslashes.
        (r"Unclosed (?P<what>array|inline table)", r".*\S.*", r"[^\s\]}].*", "a comma is missing in front of this",
         "Write one between any two entries."),
        ("Invalid initial character for a key part|Unclosed inline table", r".*\{.*", r"\s*\}?\s*",
         "a table in braces is on one line, without a comma at its end",
         'Write it on one line, or as a table of its own, such as [mounts."/path"].'),
        (r"Unclosed (?P<what>array|inline table)", r"\s*", ".*", "the {called} above has no {close} at its end",
         "Close it with {close}, or write a comma between any two entries."),
        (r"Unescaped '\\' in a string|Invalid hex value", r'.*"(?P<start>[^"]*)(?P<here>\\).', r'[^"]*".*',
         "a backslash between double quotes is an escape", "Write slashes, or put the text between single quotes."),
    )
)  # fmt: skip
