"""Pages for a developer's browser: whole in themselves, and no text of an application is ever HTML in them."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from multiserve.dispatch import pages

EVIL = "</pre><script>alert('1')</script>&\""
ESCAPED = "&lt;/pre&gt;&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&amp;&quot;"


def test_a_page_escapes_every_text():
    parts = [pages.paragraph(EVIL), pages.hint(EVIL), pages.listing(EVIL), pages.links([EVIL, f"/{EVIL}"])]
    page = pages.page(EVIL, *parts, footer=EVIL)
    assert "<script" not in page
    assert page.count(ESCAPED) == 8


def test_a_page_brings_all_that_its_policy_allows():
    page = pages.page("Broken", pages.links(["/"]))
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rest = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert f"default-src 'none'; style-src 'sha256-{digest}'; {rest}" == pages.POLICY
    assert not re.search(r"<script|<link|<img|src=|style=|url\(|@import|https?:", page)
    assert "color-scheme: light dark" in style


def test_a_page_without_a_footer_has_none():
    assert "<footer>" not in pages.page("Broken")


@pytest.mark.parametrize(
    ("name", "href"),
    [
        pytest.param("/", "/", id="the root"),
        pytest.param("/admin", "/admin/", id="a prefix"),
        pytest.param("/café x", "/caf%C3%A9%20x/", id="a prefix that a URL escapes"),
        pytest.param("/u/{user}", None, id="a placeholder"),
        pytest.param("api.example.com", None, id="a host"),
        pytest.param("*.example.com/blog", None, id="any host"),
    ],
)
def test_a_mount_with_one_url_on_every_host_is_a_link(name, href):
    item = f"<code>{name}</code>" if href is None else f'<a href="{href}"><code>{name}</code></a>'
    assert pages.links([name]) == f"<ul>\n<li>{item}</li>\n</ul>"


@pytest.mark.parametrize(
    ("row", "item"),
    [
        pytest.param(("sales", "./sales/", ""), '<a href="./sales/">sales</a>', id="a link"),
        pytest.param(("sales", "", ""), "sales", id="no link"),
        pytest.param(("sales", "", "why"), 'sales<p class="hint">why</p>', id="a note"),
        pytest.param(
            (EVIL, EVIL, EVIL), f'<a href="{ESCAPED}">{ESCAPED}</a><p class="hint">{ESCAPED}</p>', id="escaped"
        ),
    ],
)
def test_an_entry_has_a_name_a_link_and_a_note(row, item):
    assert pages.entries([row]) == f"<ul>\n<li>{item}</li>\n</ul>"
