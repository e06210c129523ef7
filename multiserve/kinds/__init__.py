"""One module for each kind of mount: how it is loaded, and what answers for it; `KINDS` is the registry.

Their options in the file are in `multiserve.config.kinds`, and what answers at run time is in `multiserve.mounts`.
"""

from __future__ import annotations

from typing import Any

from multiserve.config.mounts import (
    AppMount,
    FileMount,
    FleetMount,
    GroupedMount,
    MemberMount,
    Mount,
    ProxiedMount,
    ProxiedPlaceholderMount,
    RedirectMount,
    StaticMount,
    TenantMount,
)
from multiserve.kinds.applications import ApplicationKind
from multiserve.kinds.files import FileKind
from multiserve.kinds.fleets import FleetKind
from multiserve.kinds.grouped import GroupedKind
from multiserve.kinds.kind import Kind
from multiserve.kinds.proxied import ProxiedKind
from multiserve.kinds.redirects import RedirectKind
from multiserve.kinds.static import StaticKind
from multiserve.kinds.tenants import TenantKind

KINDS: dict[type[Mount], Kind[Any]] = {
    AppMount: ApplicationKind(),
    TenantMount: TenantKind(),
    StaticMount: StaticKind(),
    FileMount: FileKind(),
    RedirectMount: RedirectKind(),
    ProxiedMount: ProxiedKind(),
    ProxiedPlaceholderMount: ProxiedKind(),
    FleetMount: FleetKind(),
    MemberMount: ApplicationKind(),
    GroupedMount: GroupedKind(),
}


def kind_of(mount: Mount) -> Kind[Any]:
    """Return what loads a mount and answers for it."""
    return KINDS[type(mount)]
