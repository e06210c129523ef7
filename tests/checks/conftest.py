from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import find_all, look_at, settle
from multiserve.composition import compose
from multiserve.config.file import load_config, select

PLAIN = """
def app(environ, start_response): ...
async def live(scope, receive, send): ...
def make(user): ...
"""
DJANGO = """
import os
def set_up():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}")
"""


@pytest.fixture
def look(tmp_path, write_config, kept_process):
    """Look at mounts of plain applications, of which the given facts and effects of loading them are known."""

    def run(text, known=None, *, only=(), modules=None, effects=None, is_production=False, **more):
        for name, settings in {"plain": "", "other": "", **(modules or {})}.items():
            (tmp_path / f"{name}.py").write_text(PLAIN + (DJANGO.format(settings) if settings else ""))
        (tmp_path / "files").mkdir(exist_ok=True)
        whole = load_config(write_config(text))
        composition = compose(select(whole, only) if only else whole)
        subject = look_at(composition, effects or {}, mounts=whole.mounts, is_production=is_production, **more)
        known = known or {}
        members = tuple(replace(each, facts=known.get(str(each.mount.key))) for each in subject.members)
        return [
            (each.code, each.severity, each.mounts, each.message)
            for each in settle(find_all(replace(subject, members=members)), subject.config)
        ]

    return run
