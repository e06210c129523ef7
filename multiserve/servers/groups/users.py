"""The user that the process of a group runs as."""

from __future__ import annotations

import os
from typing import Any


def become(user: str) -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` for a process of a user, with no other rights than theirs.

    Args:
        user: Their name; empty for the user of this process, for whom there are none.

    Raises:
        LookupError: There is no such user.
    """
    if not user:
        return {}
    import pwd

    found = pwd.getpwnam(user)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": os.getgrouplist(user, found.pw_gid)}
