from __future__ import annotations

import pytest

from multiserve.frameworks.expressions import as_path

EXPRESSIONS = [
    ("", ""),
    ("^blog/$", "blog/"),
    (r"\Ablog/\Z", "blog/"),
    (r"^blog/(?P<year>[0-9]{4})/$", "blog/<year>/"),
    (r"^blog/(?P<year>((19|20)\d\d))/(?P<month>\d+)?/$", "blog/<year>/<month>/"),
    (r"^blog/([0-9]{4})/$", "blog/<([0-9]{4})>/"),
    (r"^blog/(?:old/)?$", "blog/<(?:old/)?>"),
    (r"^blog/?$", "blog</?>"),
    (r"^blog/\d+/x$", r"blog/<\d+>/x"),
    (r"^blog/[\w-]{2,}?/", r"blog/<[\w-]{2,}?>/"),
    (r"^files\.txt$", "files.txt"),
    (r"^a.c$", "a<.>c"),
    (r"^(\(|\))/$", r"<(\(|\))>/"),
    (r"^[)]/x$", "<[)]>/x"),
    ("^one/$|^two/$", "<one/$|^two/>"),
    ("^(one$", "<(one>"),
    ("^one)$", "one<)>"),
]


@pytest.mark.parametrize(("expression", "path"), EXPRESSIONS, ids=[each[0] or "nothing" for each in EXPRESSIONS])
def test_an_expression_is_spelled_as_a_path(expression, path):
    assert as_path(expression) == path
