"""What an export is made of."""

from __future__ import annotations

import pytest

from multiserve.errors import ConfigError

MOUNTS = '"/" = "a:app"\n"/b" = "b:app"'


def test_each_unit_has_a_port_an_image_and_no_more_than_that(export):
    made = export(MOUNTS)
    assert made.addresses == {"root": "127.0.0.1:8001", "b": "127.0.0.1:8002"}
    assert made.images == {}
    assert made.default == "root"


ADDRESSES = [
    pytest.param(["b=10.0.0.1:80"], {"root": "127.0.0.1:8001", "b": "10.0.0.1:80"}, id="one of them"),
    pytest.param(["unix:/run/{unit}.sock"], {"root": "unix:/run/root.sock", "b": "unix:/run/b.sock"}, id="a pattern"),
    pytest.param(["{unit}:8000", "root=[::1]:80"], {"root": "[::1]:80", "b": "b:8000"}, id="a pattern, and one"),
]


@pytest.mark.parametrize(("given", "expected"), ADDRESSES)
def test_addresses(export, given, expected):
    assert export(MOUNTS, addresses=given).addresses == expected


WRONG = [
    pytest.param({"addresses": ["c=h:1"]}, '--address: there is no unit "c"\n    The units are root, b.', id="no unit"),
    pytest.param(
        {"images": ["c=shop"]}, '--image: there is no unit "c"\n    The units are root, b, front.', id="no such image"
    ),
    pytest.param(
        {"addresses": ["b=host"]},
        '--address: "host" is no address of b\n'
        "    Write HOST:PORT or unix:/path, after NAME= for one unit, or with {unit} in it for all.",
        id="no port",
    ),
    pytest.param(
        {"addresses": ["b=h;:1"]},
        '--address: "h;:1" is no address of b\n'
        "    Write HOST:PORT or unix:/path, after NAME= for one unit, or with {unit} in it for all.",
        id="what would end a line of nginx",
    ),
    pytest.param(
        {"addresses": ["h:1"]},
        "--address: two units have one address\n    Write {unit} or {port} in it, or one address for each unit.",
        id="one for two",
    ),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_options(export, options, message):
    with pytest.raises(ConfigError) as caught:
        export(MOUNTS, **options)
    assert str(caught.value) == message


def test_images(export):
    assert export(MOUNTS, images=["shop:1", "b=other:2"]).images == {"root": "shop:1", "b": "other:2"}
    assert export(MOUNTS, images=["b=other:2"]).images == {"b": "other:2"}


def test_the_hash_changes_with_what_the_file_says(export):
    first = export(MOUNTS).digest
    assert export(f"# a comment\n{MOUNTS}").digest == first
    assert export(MOUNTS, "[server]\nport = 1").digest != first
    assert export(MOUNTS.replace("b:app", "c:app")).digest != first
