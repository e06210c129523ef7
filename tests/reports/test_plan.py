"""What a reload would change, as text."""

from __future__ import annotations

import pytest

from multiserve.reports import plan
from multiserve.styles import plain


def value(key, change, before=None, after=None):
    return {"key": key, "change": change, "before": before, "after": after}


def mount(name, change, before, after, *values):
    return {
        "mount": name, "target": "shop:app", "change": change, "group_before": before, "group": after,
        "values": list(values),
    }  # fmt: skip


def group(name, process, *values):
    return {"name": name, "process": process, "values": list(values)}


def planned(**sections):
    return {"is_changed": True, "mounts": [], "groups": [], "settings": [], "code": "loaded", **sections}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("loaded", "Nothing would change. The code is loaded anew in any case."),
        ("kept", "Nothing would change. With preload_app, the code that the server has imported stays as it is."),
    ],
)
def test_nothing_would_change(code, expected):
    groups = [group("blog", "reloaded")]
    assert plan.text(planned(is_changed=False, code=code, groups=groups), plain) == expected


def test_all_that_would_change():
    found = planned(
        mounts=[
            mount("/new", "added", None, ""),
            mount("/blog", "added", None, "blog"),
            mount(
                "/", "changed", "", "", value("app", "changed", "${APP}", "shop:app"), value("a", "added", None, True)
            ),
            mount("/in", "moved", "", "blog", value("strip", "removed", False, None)),
            mount("/out", "moved", "blog", ""),
            mount("/old", "removed", "blog", None),
        ],
        groups=[
            group("blog", "started"),
            group("news", "replaced", value("python", "added", None, ".venv"), value("env.KEY", "changed")),
            group("docs", "reloaded", value("workers", "changed", 1, 2)),
            group("gone", "ended", value("workers", "removed", 1, None)),
        ],
        settings=[
            {**value("gunicorn.workers", "changed", 1, 2), "effect": "reload"},
            {**value("gunicorn.backlog", "added", None, 64), "effect": "restart"},
            {**value("server.port", "removed", 8000, None), "effect": "none"},
            {**value("env.KEY", "removed"), "effect": "reload"},
        ],
    )
    assert plan.text(found, plain) == (
        "A reload would change:\n"
        "\n"
        "Mounts:\n"
        "  + /new  shop:app\n"
        "  + /blog  shop:app in the group blog\n"
        "  ~ /  shop:app\n"
        '      app: "${APP}" -> "shop:app"\n'
        "      a: not set -> true\n"
        "  ~ /in  shop:app, moved from the process in front to the group blog\n"
        "      strip: false -> not set\n"
        "  ~ /out  shop:app, moved from the group blog to the process in front\n"
        "  - /old  shop:app in the group blog\n"
        "\n"
        "Groups:\n"
        "  + blog: its process is started\n"
        "  ~ news: another process takes the place of the one that serves\n"
        '      python: not set -> ".venv"\n'
        "      env.KEY: changed (not shown)\n"
        "    docs: its process stays, and loads its applications anew\n"
        "      workers: 1 -> 2\n"
        "  - gone: its process ends\n"
        "      workers: 1 -> not set\n"
        "\n"
        "Settings:\n"
        "  ~ gunicorn.workers: 1 -> 2\n"
        "  + gunicorn.backlog: not set -> 64 (takes effect when the server is restarted, not at a reload)\n"
        "  - server.port: 8000 -> not set (without effect on this server)\n"
        "  - env.KEY: removed (not shown)\n"
        "\n"
        "The code is loaded anew in any case."
    )


def test_long_values_are_shortened():
    found = planned(settings=[{**value("gunicorn.proc_name", "added", None, "x" * 5000), "effect": "reload"}])
    assert max(map(len, plan.text(found, plain).splitlines())) < 400
