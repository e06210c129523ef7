import time

import pytest

from multiserve.servers.management.state import State


@pytest.mark.parametrize(("ago", "is_alive"), [(0.0, True), (29.0, True), (31.0, False), (float("-inf"), True)])
def test_the_main_loop_is_alive_while_it_comes_round(ago, is_alive):
    assert State(beat=time.monotonic() - ago).is_alive is is_alive
