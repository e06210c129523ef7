"""Functions that the file names, to be called later without arguments of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path

from multiserve.config.targets import Call, Target
from multiserve.loading.applications import bind_arguments, find_target, reported
from multiserve.loading.modules import Failure, kind_of


def load_function(target: Target, *, prefix: str, key: str, folder: Path) -> Callable[[], object]:
    """Import a function, and return it with the arguments that the file gives it.

    Args:
        target: The function, with its arguments if it takes any.
        prefix: What the argument `prefix` stands for.
        key: The TOML key of the target, for the error.
        folder: The folder that the target's file, if it names one, is relative to.

    Raises:
        LoadError: There is no such function, or it takes other arguments.
    """
    with reported(target, key):
        found, name, call = find_target(target, folder, {})
        if not callable(found):
            raise Failure(f'"{name}" is {kind_of(found)}, which cannot be called', "Name a function.")
        args, kwargs = bind_arguments(found, name, call or Call(), prefix, ())
        if inspect.iscoroutinefunction(found):
            raise Failure(f'"{name}" is async', "Write a plain function; it may call asyncio.run().")
    return partial(found, *args, **kwargs)
