"""A configuration of NGINX Unit in JSON: listeners, routes and applications."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from multiserve.drafts import Draft
from multiserve.importers import json_lines
from multiserve.importers.unit_actions import Step, read_pass
from multiserve.importers.unit_applications import note_unused
from multiserve.importers.unit_document import UnitDocument

NAME = "a JSON file of NGINX Unit with listeners, routes and applications"


def matches(name: str, text: str) -> bool:
    """Return whether this is JSON with the tables of Unit."""
    if not name.endswith(".json"):
        return False
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and "listeners" in document and bool({"routes", "applications"} & document.keys())


def read(path: Path, text: str) -> Draft:
    """Read what the first listener passes on to, and note the others."""
    document, lines = json_lines.read_json(text)
    draft = Draft()
    unit = UnitDocument(draft, document, lines, path.parent)
    for number, (address, listener) in enumerate(_table(document, "listeners").items()):
        place = ("listeners", address)
        if number:
            reason = "All mounts are on one port. For an address of its own write a host with a port as the key."
            draft.note(f'listener "{address}"', reason, lines.get(place, 0))
            continue
        _read_address(draft, address, lines.get(place, 0))
        if isinstance(listener, dict):
            _note_others(draft, f'listener "{address}"', listener, ("pass",), lines, place)
            read_pass(unit, str(listener.get("pass", "")), Step(place))
    note_unused(unit)
    for name in document.keys() - {"listeners", "routes", "applications"}:
        draft.note(name, "multiserve reads nothing of it.", lines.get((name,), 0))
    return draft


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name, {})
    return found if isinstance(found, dict) else {}


def _note_others(
    draft: Draft,
    what: str,
    table: dict[str, Any],
    known: Sequence[str],
    lines: dict[json_lines.Path, int],
    place: json_lines.Path,
) -> None:
    for name in table.keys() - set(known):
        reason = (
            "Put a proxy in front that has the certificate."
            if name == "tls"
            else "For a proxy in front: trusted_proxies under [server]."
            if name in ("forwarded", "client_ip")
            else "There is no such setting."
        )
        draft.note(f"{name} of {what}", reason, lines.get((*place, name), 0))


def _read_address(draft: Draft, address: str, line: int) -> None:
    if address.startswith("unix:"):
        draft.gunicorn["bind"] = [address]
        return
    host, _, port = address.rpartition(":")
    draft.server["host"] = "0.0.0.0" if host == "*" else host.strip("[]")  # noqa: S104 (what Unit means by a star)
    draft.set_port(port, f'listener "{address}"', line)
