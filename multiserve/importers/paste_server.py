"""The server of a file of PasteDeploy, as `pserve` starts it: waitress, gunicorn or Paste's own."""

from __future__ import annotations

from multiserve.drafts import Draft
from multiserve.importers.ini_lines import Entry
from multiserve.importers.paste_objects import Sections

_GUNICORN = frozenset({"workers", "timeout", "keepalive", "max_requests", "backlog", "graceful_timeout"})
_ANY = "0.0.0.0"  # noqa: S104 (what these servers mean by a star)


def read_server(draft: Draft, sections: Sections) -> None:
    """Read host, port and threads, and gunicorn's settings where it is gunicorn; the mounts are there already."""
    section = sections.find_server()
    if section is None:
        return
    is_gunicorn = "gunicorn" in section.get("use")
    for entry in section.entries:
        if entry.key == "use":
            continue
        if entry.key in ("host", "port"):
            _read_address(draft, entry)
        elif entry.key in ("listen", "bind"):
            _read_listen(draft, entry)
        elif entry.key == "threads":
            draft.set_threads(entry.value, entry.what, entry.line)
        elif is_gunicorn and entry.key == "worker_class":
            draft.note_worker_class(entry.value, entry.what, entry.line)
        elif is_gunicorn and entry.key in _GUNICORN and entry.value.isdigit():
            draft.gunicorn[entry.key] = int(entry.value)
        else:
            draft.note(entry.what, "A setting of that server: see whether [gunicorn] has one like it.", entry.line)


def _read_address(draft: Draft, entry: Entry) -> None:
    if entry.key == "host":
        draft.server["host"] = _ANY if entry.value == "*" else entry.value
    else:
        draft.set_port(entry.value, entry.what, entry.line)


def _read_listen(draft: Draft, entry: Entry) -> None:
    """Read `listen = localhost:6543 [::1]:6543`, of which the first address counts in development."""
    first, *others = entry.value.replace(",", " ").split() or [""]
    host, _, port = first.rpartition(":")
    draft.server["host"] = _ANY if host in ("*", "") else host.strip("[]")
    draft.set_port(port, entry.what, entry.line)
    if others:
        draft.note(entry.what, f"One address: write bind under [gunicorn] to add {', '.join(others)}.", entry.line)
