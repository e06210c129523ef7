from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.probing import ProbeResult, probe


@pytest.fixture
def probed(
    write_config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, list[ProbeResult]]]:
    """Probe applications, or entries of the file, by the keys of their mounts; the results come by mount."""

    def run(
        mounts: dict[str, Any], more: str = "", origin: str = "http://localhost:8000"
    ) -> dict[str, list[ProbeResult]]:
        module = types.ModuleType("probed")
        monkeypatch.setitem(sys.modules, "probed", module)
        lines = []
        for number, (key, what) in enumerate(mounts.items()):
            setattr(module, f"app{number}", what)
            lines.append(f'"{key}" = {what if isinstance(what, str) else f"""{{ app = "probed:app{number}" }}"""}')
        path = write_config("\n".join(["[mounts]", *lines, more]))
        results: dict[str, list[ProbeResult]] = {}
        for result in probe(compose(load_config(path)), origin):
            results.setdefault(result.mount, []).append(result)
        return results

    return run
