"""Keys in the wrong table, as the reader of the file reports them."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ConfigError

MOUNTS = '[mounts]\n"/" = "web:app"\n'
MOUNT = "this is the key of a mount"
TOP = "development, env, groups, gunicorn, ignore, middleware, mounts, plugins, pythonpath, select, server, severity"
UNDER_MOUNTS = "Write it under [mounts]."


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param('"/admin" = "web:app"', [('"/admin"', MOUNT, UNDER_MOUNTS)], id="a path at the top"),
        pytest.param('"/a" = { static = "x" }', [('"/a"', MOUNT, UNDER_MOUNTS)], id="an entry at the top"),
        pytest.param('["/a"]\napp = "web:app"', [('"/a"', MOUNT, UNDER_MOUNTS)], id="a table at the top"),
        pytest.param('"example.com" = "web:app"', [('"example.com"', MOUNT, UNDER_MOUNTS)], id="a host at the top"),
        pytest.param('"{t}.example.com" = "web:app"', [('"{t}.example.com"', MOUNT, UNDER_MOUNTS)], id="a placeholder"),
        pytest.param(
            f'{MOUNTS}[server]\nport = 1\n"/b" = "web:app"\n"*.b.c" = "web:app"',
            [('server."/b"', MOUNT, UNDER_MOUNTS), ('server."*.b.c"', MOUNT, UNDER_MOUNTS)],
            id="mounts below [server]",
        ),
        pytest.param(f'{MOUNTS}[env]\n"/b" = "web:app"', [('env."/b"', MOUNT, UNDER_MOUNTS)], id="a mount below [env]"),
        pytest.param(
            f'{MOUNTS}[gunicorn]\n"/b" = "web:app"', [('gunicorn."/b"', MOUNT, UNDER_MOUNTS)], id="below [gunicorn]"
        ),
        pytest.param(
            f"port = 1\nworkers = 2\n{MOUNTS}",
            [
                ("port", "this is a setting of [server]", "Write it under [server]."),
                ("workers", "this is a setting of [gunicorn]", "Write it under [gunicorn]."),
            ],
            id="settings at the top",
        ),
        pytest.param(
            f"{MOUNTS}[server]\nreload = true\ntimeout = 3\n[development]\nhost = 'x'",
            [
                ("server.reload", "this is a setting of [development]", "Write it under [development]."),
                ("server.timeout", "this is a setting of [gunicorn]", "Write it under [gunicorn]."),
                ("development.host", "this is a setting of [server]", "Write it under [server]."),
            ],
            id="settings of another table",
        ),
        pytest.param("mount = 1", [("mount", "no such key", 'Did you mean "mounts"?')], id="a name that is no host"),
        pytest.param(
            f'"not/a host" = "web:app"\n{MOUNTS}',
            [
                (
                    '"not/a host"',
                    "no such key",
                    f"Known here: {TOP}.",
                )
            ],
            id="what is no key of a mount either",
        ),
    ],
)
def test_a_key_in_the_wrong_table_says_where_it_belongs(write_config, text, problems):
    with pytest.raises(ConfigError) as caught:
        load_config(write_config(text))
    assert [(each.key, each.message, each.hint) for each in caught.value.problems] == problems


def test_in_pyproject_the_table_has_its_whole_name(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.multiserve]\n"/" = "web:app"\n[tool.multiserve.env]\nport = "8000"\n', "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert [str(each) for each in caught.value.problems] == [
        'tool.multiserve."/": this is the key of a mount\n    Write it under [tool.multiserve.mounts].'
    ]


def test_variables_and_settings_of_gunicorn_have_any_name(write_config):
    config = load_config(write_config(f"{MOUNTS}[env]\nport = '1'\n'a.b' = 'x'\n[gunicorn]\nreload = true"))
    assert config.env == {"port": "1", "a.b": "x"}
    assert config.gunicorn == {"reload": True}
