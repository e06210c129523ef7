from __future__ import annotations

from multiserve import kinds
from multiserve.config import mounts


def test_every_kind_of_entry_and_of_mount_is_loaded_by_a_kind() -> None:
    assert tuple(kinds.KINDS) == (*mounts.KINDS, mounts.MemberMount, mounts.GroupedMount)
