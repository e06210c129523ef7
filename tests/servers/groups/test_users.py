"""The user that the process of a group runs as."""

from __future__ import annotations

import os
import pwd

import pytest

from multiserve.servers.groups.users import become

ME = pwd.getpwuid(os.geteuid())


def test_no_user_is_that_of_this_process():
    assert become("") == {}


def test_a_user_has_their_own_groups_and_none_of_ours():
    groups = os.getgrouplist(ME.pw_name, ME.pw_gid)
    assert become(ME.pw_name) == {"user": ME.pw_uid, "group": ME.pw_gid, "extra_groups": groups}


def test_a_user_that_does_not_exist_is_an_error():
    with pytest.raises(LookupError):
        become("no-such-user")
