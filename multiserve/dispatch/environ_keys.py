"""The names under which the environ, or the scope, has what multiserve knows about a request."""

from __future__ import annotations

MOUNT_KEY = "multiserve.mount"
"""Where the environ names the mount that answers, as its key spells it."""

REQUEST_ID_KEY = "multiserve.request_id"
"""Where the environ, or the scope, has the id of the request, if requests have one."""

ALONE_KEY = "multiserve.is_alone"
"""Where the scope says that no other process serves the same applications; a server that does not tell may be many."""
