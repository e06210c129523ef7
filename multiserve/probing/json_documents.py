"""What a JSON document that a page needs refers to: a web manifest, and the description of an API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from multiserve.probing.reference import Reference


def read_manifest(text: str) -> Iterator[Reference]:
    """Find the URLs of a web manifest, without their targets."""
    manifest = _object(text)
    if isinstance(start := manifest.get("start_url"), str):
        yield Reference("link", "the start_url", start, "")
    if isinstance(scope := manifest.get("scope"), str):
        yield Reference("scope", "the scope of the manifest", scope, "")
    shortcuts = [each for each in _list(manifest.get("shortcuts")) if isinstance(each.get("url"), str)]
    yield from (Reference("link", "the shortcut", each["url"], "") for each in shortcuts)
    for each in [*_list(manifest.get("icons")), *_list(manifest.get("screenshots"))]:
        if isinstance(each.get("src"), str):
            yield Reference("asset", "the icon", each["src"], "")


def read_openapi(text: str) -> Iterator[Reference]:
    """Find the first path without parameters that OpenAPI describes, at its first server, without its target.

    Without `servers` a path is one of the origin (OpenAPI 3.1, section 4.8.1).
    """
    document = _object(text)
    server = next((each.get("url") for each in _list(document.get("servers"))), None)
    base = server if isinstance(server, str) else "/"
    base = document["basePath"] if isinstance(document.get("basePath"), str) else base
    paths = document.get("paths")
    if "{" in base or not isinstance(paths, dict) or not ("openapi" in document or "swagger" in document):
        return
    for path, methods in paths.items():
        if isinstance(methods, dict) and "get" in methods and path.startswith("/") and "{" not in path:
            yield Reference("request", "the path of OpenAPI", f"{base.rstrip('/')}{path}", "")
            return


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
