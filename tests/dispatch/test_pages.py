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
    parts = [pages.paragraph(EVIL), pages.hint(EVIL), pages.listing(EVIL), pages.table([(EVIL,) * 4])]
    page = pages.page(EVIL, *parts, footer=EVIL)
    assert "<script" not in page
    assert page.count(ESCAPED) == 10


def digest_of(name, page):
    """Return the hash of the one element of this name, as a policy has it."""
    (text,) = re.findall(rf"<{name}>(.*)</{name}>", page, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_page_that_waits_may_run_its_script_and_ask_its_server():
    page = pages.page("Broken", waits=True)
    allowed = f"style-src {digest_of('style', page)}; script-src {digest_of('script', page)}; connect-src 'self'"
    rest = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert f"default-src 'none'; {allowed}; {rest}" == pages.WAITING_POLICY


def test_a_page_brings_all_that_its_policy_allows():
    page = pages.page("Broken", pages.table([("/", "/", "a", "ok")]))
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rest = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert f"default-src 'none'; style-src 'sha256-{digest}'; {rest}" == pages.POLICY
    assert not re.search(r"<script|<link|<img|src=|style=|url\(|@import|https?:", page)
    assert "color-scheme: light dark" in style


def test_a_page_without_a_footer_has_none():
    assert "<footer>" not in pages.page("Broken")


@pytest.mark.parametrize(
    ("url", "cell"),
    [
        pytest.param("/admin/?a&b", '<a href="/admin/?a&amp;b"><code>/admin</code></a>', id="a URL"),
        pytest.param("", "<code>/admin</code>", id="no URL"),
    ],
)
def test_a_mount_with_a_url_is_a_link(url, cell):
    assert pages.table([(url, "/admin", "backoffice", "ok")]).splitlines()[2] == (
        f"<tr><td>{cell}</td><td><code>backoffice</code></td><td>ok</td></tr>"
    )


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
