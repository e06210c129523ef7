"""Objects that are not thread-safe but that views share, found in the globals of their modules."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType

from multiserve.frameworks.facts import InnerRoute
from multiserve.frameworks.reading import is_a

_OF_ONE_THREAD = (("sqlite3", "Connection"), ("sqlalchemy.orm.session", "Session"))
_MODULES = ("matplotlib.pyplot",)  # it keeps one current figure for the whole process


def thread_hints(routes: Iterable[InnerRoute]) -> tuple[str, ...]:
    """Return the names of such globals in the modules of the views, each as `module.name`, in alphabetical order."""
    modules = {route.view.partition(":")[0] for route in routes}
    return tuple(
        f"{module}.{name}"
        for module in sorted(modules)
        for name, value in sorted(vars(sys.modules.get(module, ModuleType(module))).items())
        if _is_for_one_thread(value)
    )


def _is_for_one_thread(value: object) -> bool:
    if type(value) is ModuleType:
        return value.__name__ in _MODULES
    return any(is_a(value, module, name) for module, name in _OF_ONE_THREAD)
