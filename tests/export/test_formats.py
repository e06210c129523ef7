"""The formats."""

from __future__ import annotations

import pytest

from multiserve.export.formats import FORMATS


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_each_format_writes_the_same_text_twice(export, form):
    made = export('"/" = "a:app"\n"/b" = "b:app"\n"{t}.test" = "c:make"', images=["shop:1"])
    files = form.render(made)
    assert files
    assert files == form.render(made)
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in files.values())
