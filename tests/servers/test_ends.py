"""How a process has ended, in words."""

from __future__ import annotations

import pytest

from multiserve.servers.ends import describe_end


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(0, "has ended with exit code 0", id="os._exit without a fault"),
        pytest.param(7, "has ended with exit code 7", id="os._exit"),
        pytest.param(-9, "was ended by SIGKILL", id="a signal"),
        pytest.param(-63, "was ended by signal 63", id="a signal without a name"),
    ],
)
def test_the_end_of_a_process_in_words(code, text):
    assert describe_end(code) == text
