"""What `check` finds out, before anything is made of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from multiserve import inspection
from multiserve.config.file import load_config, select
from multiserve.errors import ConfigError
from multiserve.inspection import has_gunicorn, inspect, problems_of_settings

APPS = Path(__file__).parent / "apps"
GOOD = f'pythonpath = ["{APPS}"]\n[mounts]\n"/" = "good:app"\n"/lazy" = "lazy"\n'

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def no_gunicorn(monkeypatch):
    """Make the production server impossible to import."""
    monkeypatch.setitem(sys.modules, "multiserve.servers.production.application", None)


def test_an_inspection_has_all_parts(write_config):
    found = inspect(load_config(write_config(GOOD)), probe=True)
    assert [str(loaded.mount.key) for loaded in found.composition.mounts] == ["/", "/lazy"]
    assert list(found.effects) == ["/", "/lazy"]
    assert [(each.url, each.status) for each in found.probes] == [
        ("http://localhost:8000/", 200),
        ("http://localhost:8000/lazy/", 200),
    ]
    assert found.findings == found.all_findings == []


def test_nothing_is_probed_unless_that_is_asked_for(write_config):
    assert inspect(load_config(write_config(GOOD))).probes is None


@pytest.mark.parametrize("is_told", [True, False])
def test_mounts_that_are_left_out_still_count(write_config, is_told):
    whole = load_config(write_config(f'{GOOD}"/old" = {{ redirect = "/lazy" }}'))
    selected = select(whole, ["/old"])
    found = inspect(selected, mounts=whole.mounts if is_told else ())
    assert [each.code for each in found.findings] == ([] if is_told else ["MS106"])


@pytest.mark.parametrize(("worker", "interface"), [("", "asgi"), ('worker_class = "gthread"', "wsgi")])
def test_for_production_it_looks_at_what_the_worker_will_serve(write_config, worker, interface):
    config = load_config(write_config(f"{GOOD}[gunicorn]\n{worker}"))
    assert inspect(config, production=True).composition.interface == interface
    assert inspect(config).composition.interface == "wsgi"


def test_without_gunicorn_its_settings_are_not_checked(no_gunicorn, write_config):
    config = load_config(write_config(f"{GOOD}[gunicorn]\nworkesr = 1"))
    assert not has_gunicorn()
    assert list(problems_of_settings(config)) == []
    assert inspection.inspect(config).all_findings == []


EMPTY = "def app(environ, start_response):\n    start_response('204 No Content', [])\n    return []\n"
GROUPED = """
ignore = ["MS164"]
[mounts]
"/shop" = {{ app = "moves:app"{shop} }}
"/blog" = {{ app = "moves:app", group = "blog" }}
"/news" = {{ app = "stays:app", group = "blog" }}
"/more" = "stays:app"
"a.test/old" = {{ redirect = "/nowhere", group = "blog" }}
[groups.blog]
{more}
"""


@pytest.fixture
def moves(tmp_path, write_config, kept_process):
    """Write two applications of which one changes the working directory, and read where they are in groups."""
    (tmp_path / "moves.py").write_text(f"import os\nos.chdir('/')\n{EMPTY}")
    (tmp_path / "stays.py").write_text(EMPTY)
    return lambda more="", shop="": load_config(write_config(GROUPED.format(more=more, shop=shop)))


def test_each_process_is_checked_by_itself_and_the_origin_once(moves):
    found = inspect(moves())
    assert [(each.code, each.mounts) for each in found.findings] == [
        ("MS106", ("a.test/old",)),
        ("MS161", ("/shop",)),
        ("MS161", ("/blog",)),
    ]
    assert list(found.effects) == ["/shop", "/blog", "/news", "/more", "a.test/old"]
    assert found.effects["/blog"].folder == "/"
    assert "moves" in found.effects["/blog"].modules


def test_an_application_that_is_alone_in_its_group_disturbs_nobody(moves):
    config = moves("[groups.alone]", ', group = "alone"')
    assert [each.mounts for each in inspect(config).findings if each.code == "MS161"] == [("/blog",)]


@pytest.mark.parametrize(
    ("trusted", "found"),
    [
        pytest.param(1, [], id="as the server has it"),
        pytest.param(2, ["its ProxyFix counts 1 proxies, and trusted_proxies is 2"], id="another count"),
    ],
)
def test_an_application_in_a_group_counts_the_proxies_of_the_file(tmp_path, write_config, trusted, found):
    text = f"from werkzeug.middleware.proxy_fix import ProxyFix\n{EMPTY}app = ProxyFix(app, x_for=1)\n"
    (tmp_path / "counts.py").write_text(text)
    file = '[mounts]\n"/a" = { app = "counts:app", group = "a" }\n[groups.a]\n[server]\ntrusted_proxies = '
    config = load_config(write_config(f"{file}{trusted}"))
    assert [each.message for each in inspect(config).findings if each.code == "MS152"] == found


PATCHES = """
import decimal, os
decimal.DefaultContext.prec = 6
os.environ["MODE_OF_BLOG"] = "b"
os.environ.setdefault("TOKEN_OF_BLOG", "a")
"""


def test_what_loading_does_to_the_process_of_a_group_concerns_that_alone(tmp_path, write_config, kept_process):
    (tmp_path / "changes.py").write_text(PATCHES + EMPTY)
    (tmp_path / "stays.py").write_text(f"import os\nos.environ['MODE_OF_BLOG'] = 'a'\n{EMPTY}")
    mounts = '"/" = "stays:app"\n"/blog" = { app = "changes:app", group = "x" }'
    more = '"/news" = { app = "stays:app", group = "x" }\n'
    alone, both = (load_config(write_config(f"[mounts]\n{text}\n[groups.x]")) for text in (mounts, f"{mounts}\n{more}"))
    found = inspect(both)
    assert [(each.code, each.mounts) for each in found.findings] == [
        ("MS191", ("/blog",)),
        ("MS192", ("/news", "/blog")),
    ]
    assert [each.name for each in found.effects["/blog"].changes] == ["decimal default"]
    assert [each.name for each in found.effects["/blog"].variables] == ["MODE_OF_BLOG", "TOKEN_OF_BLOG"]
    assert inspect(alone).findings == []


def test_settings_of_a_group_are_checked_before_anything_is_loaded(moves):
    with pytest.raises(ConfigError) as caught:
        inspect(moves("[groups.blog.gunicorn]\ntimeout = 'x'\nkeepalive = -1\n[gunicorn]\nmax_requests = 'y'"))
    assert [each.key for each in caught.value.problems] == [
        "gunicorn.max_requests",
        "groups.blog.gunicorn.timeout",
        "groups.blog.gunicorn.keepalive",
    ]


def test_all_processes_are_probed(moves):
    found = inspect(moves(), probe=True)
    assert [(each.url, each.status) for each in found.probes or ()] == [
        ("http://localhost:8000/shop/", 204),
        ("http://localhost:8000/blog/", 204),
        ("http://localhost:8000/news/", 204),
        ("http://localhost:8000/more/", 204),
        ("http://a.test:8000/old/", 308),
    ]


def test_the_debugger_must_not_be_reached_by_others(write_config):
    config = load_config(write_config(f'{GOOD}[server]\nhost = "0.0.0.0"\n[development]\ndebugger = true'))
    assert [problem.key for problem in problems_of_settings(config)] == ["development.debugger"]
