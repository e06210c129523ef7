"""The formats that can be exported: what each of them is for, and the module that writes it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from multiserve.export.model import Export


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: The word for it on the command line.
        help: What it is, in a few words.
        module: The module with its function `render`, which returns the text of each file by its name.
    """

    name: str
    help: str
    module: str

    def render(self, export: Export) -> Mapping[str, str]:
        """Return the text of each file, without the header, by its path in the folder."""
        render: Callable[[Export], Mapping[str, str]] = importlib.import_module(self.module).render
        return render(export)


FORMATS = {
    each.name: each
    for each in (
        Format("nginx", "nginx in front of the units: a file for /etc/nginx/conf.d", "multiserve.export.nginx"),
        Format("systemd", "services, sockets and a target, for hosts without containers", "multiserve.export.systemd"),
        Format("compose", "containers on one machine: compose.yaml, with nginx in front", "multiserve.export.compose"),
        Format(
            "kubernetes",
            "a Deployment of each unit, and nginx, an HTTPRoute or an Ingress in front",
            "multiserve.export.kubernetes",
        ),
        Format("haproxy", "haproxy in front of the units: a file for haproxy -f", "multiserve.export.haproxy"),
    )
}
