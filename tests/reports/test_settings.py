"""The effective configuration as text and as values for JSON."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.reports.settings import Value, effective_values, values_as_json, values_as_text


@pytest.fixture
def config(write_config):
    return load_config(write_config('[mounts]\n"/" = "a:b"\n[server]\nhost = "::1"\n'))


def test_values_are_aligned_and_the_file_is_named_by_its_name(config):
    values = [
        Value("server.host", "::1", str(config.path)),
        Value("server.port", 1, "--port"),
        Value("development.debugger", None, "default"),
        Value("env.A", None, "environment"),
    ]
    text = values_as_text(config, values, lambda text, role: f"<{text}>" if role == "strong" else text)
    assert text.removeprefix(f"{config.path}\n\n").splitlines() == [
        "KEY                   FROM               VALUE",
        'server.host           <multiserve.toml>  "::1"',
        "server.port           <--port>           1",
        "development.debugger  default            (by the host)",
        "env.A                 <environment>      (not shown)",
    ]


def test_every_option_has_a_value_in_the_order_of_the_file(config):
    gunicorn = [Value("gunicorn.workers", 2, "default")]
    values = effective_values(config, {"port": "MULTISERVE_PORT"}, gunicorn)
    sections = [value.key.partition(".")[0] for value in values]
    assert list(dict.fromkeys(sections)) == [
        "ignore", "select", "plugins", "pythonpath", "middleware", "mounts", "server", "development", "gunicorn",
    ]  # fmt: skip
    assert values[-1:] == gunicorn
    assert Value("server.port", 8000, "MULTISERVE_PORT") in values
    assert values_as_json(config, values[:1]) == {
        "file": str(config.path),
        "env_files": [],
        "values": [{"key": "ignore", "value": [], "origin": "default"}],
    }


def test_the_severities_of_the_file_are_values(write_config):
    config = load_config(write_config('severity = { MS205 = "off" }\n[mounts]\n"/" = "x"'))
    values = [each for each in effective_values(config, {}, []) if each.key.startswith("severity")]
    assert values == [Value("severity.MS205", "off", str(config.source))]
