import re
from pathlib import Path

import pytest

from multiserve.config.manage_address import read_manage_address, split_host_and_port


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("0.0.0.0:9000", "0.0.0.0:9000"),
        ("[::1]:9000", "[::1]:9000"),
        ("localhost:0", "localhost:0"),
        ("unix:run/manage.sock", "unix:/site/run/manage.sock"),
        ("unix:/run/manage.sock", "unix:/run/manage.sock"),
    ],
)
def test_an_address_is_read(text, read):
    assert read_manage_address(text, Path("/site")) == read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9000", '"9000" is not an address'),
        (":9000", '":9000" is not an address'),
        ("127.0.0.1:65536", '"127.0.0.1:65536" is not an address'),
        ("http://127.0.0.1:9000", '"http://127.0.0.1:9000" is not an address'),
        ("[::x]:9000", '"[::x]:9000" is not an address'),
        ("unix:", "the path is missing"),
        (f"unix:{'x' * 100}", f"the path is longer than 100 bytes: /site/{'x' * 100}"),
    ],
)
def test_what_is_no_address_is_refused(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_manage_address(text, Path("/site"))


def test_brackets_are_taken_off():
    assert split_host_and_port("[::1]:9000") == ("::1", 9000)
