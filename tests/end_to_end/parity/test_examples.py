"""Every URL of the examples is answered alike by one process and behind a front."""

from __future__ import annotations

import re
from urllib.parse import urldefrag, urljoin

import pytest

# Those whose applications the tests have; the groups of examples/isolated are in test_groups.py.
EXAMPLES = ["mixed", "three-frameworks", "frontend-admin"]
LINK = re.compile(r"""(?:href|src|action)=["']([^"'#]*)""")
MOST = 60  # URLs of an example


@pytest.fixture(
    scope="module", params=[pytest.param(each, marks=pytest.mark.xdist_group(f"parity-{each}")) for each in EXAMPLES]
)
def site(request, start_site, copy_example):
    return start_site(*copy_example(request.param))


def find_paths(site):
    """Return the paths of all pages and files that one comes to by links."""
    found = ["/", "/admin/", "/api/", "/django/", "/flask/", "/none"]
    for path in found:  # it grows meanwhile
        answer = site.answer(site.head(path))
        base = f"http://localhost{path}"
        links = LINK.findall(answer[-1].decode("utf-8", "replace")) if len(answer) > 1 else []
        links += [value.decode() for name, value in answer[1] if name == "location"] if len(answer) > 1 else []
        for link in links:
            url = urldefrag(urljoin(base, link)).url
            below = url.removeprefix("http://localhost")
            if below != url and below not in found and len(found) < MOST:
                found.append(below)
    return found


def all_requests(site):
    """Return the requests by their names."""
    forged = ("X-Forwarded-Host: evil.test", "X-Forwarded-Prefix: /x", "X-Forwarded-Proto: https", "SCRIPT_NAME: /x")
    found = {}
    for path in find_paths(site):
        escaped = f"/%{ord(path[1]):02x}{path[2:]}" if path[1:] else path
        found |= {f"{method} {path}": site.head(path, method=method) for method in ("GET", "HEAD", "POST")}
        found |= {f"{path} of a host": site.head(path, host="shop.test:8080"), f"{path} escaped": site.head(escaped)}
        found |= {f"{path} forged": site.head(path, *forged), f"{path} twice": site.head(f"/{path}")}
        found |= {f"{path} as a page": site.head(path, "Accept: text/html", "Accept-Encoding: gzip")}
        found |= {f"{path} whole": site.head(f"http://shop.test{path}", host="shop.test")}
    return found


def test_all_urls_are_answered_alike(site, front):
    requests = all_requests(site)
    assert len(requests) > 60  # the links have been followed
    assert site.differences(front, requests) == {}
