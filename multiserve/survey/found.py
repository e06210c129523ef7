"""What has become of all mounts, in this process and in those of the groups."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from multiserve.composition import Composition
from multiserve.config.mounts import Mount
from multiserve.findings import Finding
from multiserve.loading.side_effects import SideEffects

if TYPE_CHECKING:  # what only groups, or only probes, need is not imported without them
    from multiserve.checks.subject import Load
    from multiserve.probing.processes import Process

Observe: TypeAlias = Callable[[Mount], AbstractContextManager[object]]


@dataclass(slots=True, kw_only=True)
class Survey:
    """What has become of all mounts.

    Attributes:
        composition: All of them, in the order of the file.
        own: Those of this process: the same, unless there are groups.
        effects: What loading the others has done to their processes, by the names of the mounts.
        findings: What the checks that look at one process have found in those of the groups.
        loads: What the processes of groups cost.
        processes: What a probe asks for the mounts of each group.
    """

    composition: Composition
    own: Composition
    effects: dict[str, SideEffects] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def has_groups(self) -> bool:
        """Whether some of the mounts are in other processes."""
        return self.own is not self.composition
