import re

import pytest

from multiserve.servers.page.assets import SCRIPT, STYLE


@pytest.mark.parametrize(("text", "end"), [(STYLE, "</style"), (SCRIPT, "</script")])
def test_neither_ends_its_element(text, end):
    assert end not in text.lower()


def test_nothing_is_loaded():
    assert not re.search(r"url\(|@import", STYLE)
    assert not re.search(r"https?:|innerHTML|eval", SCRIPT)


def test_each_color_that_is_named_is_defined():
    assert set(re.findall(r"var\((--\w+)\)", STYLE)) == set(re.findall(r"(--\w+):", STYLE))
