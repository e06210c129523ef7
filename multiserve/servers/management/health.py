"""Whether a server runs, and whether it can serve: `/livez` and `/readyz`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from multiserve.servers.management.exchange import JSON, Request, Response
from multiserve.servers.management.state import State
from multiserve.shortening import first_line

_FINE = ("ok", "maintenance")  # states of a mount that are as they are meant to be


def live(state: State, _: Request) -> Response:
    """Answer 200 while the main loop of the server runs."""
    if state.is_alive:
        return Response(body="ok\n")
    return Response(status=503, body="The main loop of the server does not run.\n")


def ready(state: State, request: Request) -> Response:
    """Answer 200 while a worker serves, all required mounts are up, and the server does not stop."""
    reasons = list(_reasons(state))
    status = 503 if reasons else 200
    if request.wants_json:
        shown = {
            "ready": not reasons,
            "reasons": reasons,
            # Without lines of the source: anybody who reaches the address may ask.
            "mounts": [{**each, "reason": first_line(each["reason"])} for each in state.status.get("mounts", ())],
            "groups": [{each: group[each] for each in ("name", "state")} for group in state.status.get("groups", ())],
        }
        return Response(status=status, body=f"{json.dumps(shown, indent=2)}\n", content_type=JSON)
    lines = [f"not ready: {'; '.join(reasons)}" if reasons else "ready"]
    if "verbose" in request.query:
        lines = [*_lines(state), *lines]
    return Response(status=status, body="\n".join([*lines, ""]))


def _reasons(state: State) -> Iterator[str]:
    """Yield why the server is not ready."""
    if state.is_stopping:
        yield "the server is stopping"
    if not state.is_serving:
        yield "no worker serves yet"
    for mount in state.status.get("mounts", ()):
        if mount["mount"] in state.required and state_of(mount, state) not in _FINE:
            yield f"{mount['mount']} is required and not up"


def _lines(state: State) -> Iterator[str]:
    """Yield a line for each mount and each group."""
    for mount in state.status.get("mounts", ()):
        where = f" (group {mount['group']})" if mount["group"] else ""
        known = state_of(mount, state)
        note = "" if known in _FINE or mount["mount"] in state.required else " (not required)"
        why = f": {first_line(mount['reason'])}" if mount["reason"] else ""
        yield f"{known} {mount['mount']}{where}{note}{why}"
    for group in state.status.get("groups", ()):
        yield f"{'ok' if group['state'] == 'up' else group['state']} group {group['name']}"


def state_of(mount: Mapping[str, Any], state: State) -> str:
    """Return the state of a mount: what its group is where that is not up."""
    groups = {group["name"]: group["state"] for group in state.status.get("groups", ())}
    group = groups.get(mount["group"], "up")
    return str(mount["state"]) if group == "up" or mount["state"] != "ok" else str(group)
