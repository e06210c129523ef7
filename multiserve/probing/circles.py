"""Redirects of one application that lead back to where they began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from multiserve.config.mounts import AppMount
from multiserve.findings import Finding
from multiserve.probing.escapes import Visit
from multiserve.probing.topics import PROBED


def find_circle(chain: Sequence[Visit], target: str) -> Iterator[Finding]:
    """Find out whether a redirect leads back to one before it.

    Args:
        chain: The responses, each the target of the one before; the last one redirects.
        target: Where to.
    """
    start = next((number for number, visit in enumerate(chain) if visit.url == target), None)
    mount = chain[-1].loaded.mount
    if start is None or not isinstance(mount, AppMount):
        return
    circle = chain[start:]
    if any(visit.received.header("set-cookie") for visit in circle):
        return  # a browser sends the cookie the next time, and may get another answer
    paths = [urlsplit(url).path for url in (*(visit.url for visit in circle), target)]
    yield PROBED["MS213"].finding(
        mounts=(mount.name,),
        key=mount.place,
        url=target,
        message=f"it redirects in a circle: {', '.join(paths[:-1])}, and back to {paths[-1]}",
        cure="Redirect to a URL that answers with a page.",
    )
