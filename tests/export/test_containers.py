"""What all engines of containers are told: images, variables by their names, memory, and nginx in front."""

from __future__ import annotations

import pytest

from multiserve.errors import ConfigError
from multiserve.export.containers import (
    Needed,
    check_images,
    command_of,
    front_files,
    front_image,
    memory_of,
    needed_variables,
    seconds_to_stop,
)

MOUNTS = '"/" = "site:app"\n"/blog" = { app = "blog:app", group = "blog" }\n[groups.blog]\n'


def test_each_unit_has_an_image(export):
    made = export(MOUNTS, images=["blog=blog:1", "front=nginx:1.28"])
    assert made.images == {"blog": "blog:1", "front": "nginx:1.28"}
    assert front_image(made) == "nginx:1.28"
    with pytest.raises(ConfigError) as refused:
        check_images(made, "compose")
    (problem,) = refused.value.problems
    assert (problem.key, problem.message, problem.hint) == (
        "--image", "no image for main", "Write --image IMAGE for all, or --image main=IMAGE.",
    )  # fmt: skip
    check_images(export(MOUNTS, images=["shop:1"]), "compose")
    assert front_image(export(MOUNTS, images=["shop:1"])) == "nginx:stable"


def test_an_address_and_a_name_that_is_too_long_are_refused(export):
    name = "x" * 40
    made = export('"api.of-the-shop.example.com/a/long/prefix" = "a:b"\n"/" = "c:d"', images=["a"], name=name,
                  command=["--address", "x"])  # fmt: skip
    with pytest.raises(ConfigError) as refused:
        check_images(made, "compose")
    assert [(each.key, each.message) for each in refused.value.problems] == [
        (
            "--name",
            f'"{name}-api-of-the-shop-example-com-a-long-prefi" is longer than the 63 characters of a label (RFC 1123)',
        ),
        ("--address", "compose decides where the units listen"),
    ]


def test_a_unit_serves_its_part(export):
    main, blog = export(MOUNTS).units
    assert command_of(main)[-2:] == ["--only", "/"]
    assert command_of(blog, "127.0.0.1") == [
        "multiserve", "run", "--production", "--bind", "0.0.0.0:8000", "--manage", "127.0.0.1:9000",
        "--trusted-proxies", "1", "--pidfile", "/tmp/multiserve.pid", "--only-group", "blog",
    ]  # fmt: skip
    (one,) = export('"/$(HOME)" = "site:app"').units
    assert command_of(one)[-1] == "/$$(HOME)"


def test_variables_are_known_by_their_names_alone(export, monkeypatch):
    monkeypatch.setenv("SECRET", "the value")
    made = export("\"/\" = \"site:create_app('${SECRET}', '${MODE:-fast}', '${OWN}')\"", '[env]\nOWN = "1"')
    assert needed_variables(made) == [Needed("MODE", is_optional=True), Needed("SECRET", is_optional=False)]


@pytest.mark.parametrize(
    ("options", "megabytes"),
    [
        pytest.param("", 512, id="usual"),
        pytest.param('max_memory = "100M"', 228, id="a worker"),
        pytest.param('max_memory = "1G"\nworkers = 2', 128 + 2048, id="two workers"),
        pytest.param("workers = 3", 128 + 3 * 384, id="three usual workers"),
    ],
)
def test_the_memory_of_a_unit_is_that_of_its_workers(export, options, megabytes):
    made = export(MOUNTS + options)
    assert memory_of(made, made.units[1]) == megabytes


@pytest.mark.parametrize(
    ("more", "seconds"), [("", 35), ("[gunicorn]\ngraceful_timeout = 90", 95), ("[server]\ndrain_seconds = 7", 42)]
)
def test_a_unit_has_the_time_to_finish(export, more, seconds):
    assert seconds_to_stop(export('"/" = "site:app"', more)) == seconds


def test_nginx_knows_the_units_by_the_names_of_the_engine(export):
    files = front_files(export(MOUNTS), {"main": "shop-main:8000", "blog": "shop-blog:8000"})
    assert list(files) == ["nginx.conf", "site.conf"]
    assert "    server shop-blog:8000;\n" in files["site.conf"]
    assert "    listen 8080;\n" in files["site.conf"]
    assert "include site.conf;" in files["nginx.conf"]
