from __future__ import annotations

import pytest

from multiserve.probing.reference import join


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("y#part", "http://a.test/x/y", id="relative"),
        pytest.param(" /y ", "http://a.test/y", id="absolute"),
        pytest.param("//b.test/y", "http://b.test/y", id="another host"),
        pytest.param("mailto:a@b", "", id="another scheme"),
        pytest.param("http://[", "", id="none"),
    ],
)
def test_whole_urls(url, expected):
    assert join("http://a.test/x/", url) == expected
