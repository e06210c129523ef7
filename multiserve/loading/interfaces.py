"""Finds the interface of an application by looking at the object; it never calls it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from multiserve._types import Interface
from multiserve.errors import UnlocatedError


class InterfaceProblem(UnlocatedError, TypeError):  # noqa: N818 (the loader turns it into a `Problem`)
    """An object that is not an application: what is wrong, and what to do about it."""


def tell_interface(application: Callable[..., Any], name: str, *, is_made: bool) -> Interface:
    """Return the interface of an application.

    Args:
        application: A function, a class, or an instance.
        name: What the user calls it, for the error.
        is_made: Whether a factory has made it; if not, the error suggests that it may be a factory itself.

    Raises:
        InterfaceProblem: It takes the arguments of neither interface, or those of ASGI 2.
    """
    # Look at the decorator's own signature: it may take other arguments than what it wraps does.
    signature = signature_of(application, follow_wrapped=False)
    if inspect.isclass(application):
        return _interface_of_class(application, signature, name, is_made=is_made)
    two, three = takes(signature, 2), takes(signature, 3)
    if two and three and _has_options_of_its_own(signature):
        two = three = False
    if is_async(application):
        two = False
    elif two and three:
        return "asgi" if _wraps_asgi(application) else "wsgi"
    if two or three:
        return "wsgi" if two else "asgi"
    if _first_parameter(signature) == "scope" and takes(signature, 1) and not is_async(application):
        raise _asgi2(name)
    message = f'"{name}" is not an application: it takes {signature}, neither (environ, start_response) '
    hint = "" if is_made else f'If it is a factory, write "{_as_call(name, signature)}".'
    raise InterfaceProblem(f"{message}nor (scope, receive, send)", hint)


def _interface_of_class(
    application: type, signature: inspect.Signature | None, name: str, *, is_made: bool
) -> Interface:
    """Return the interface of a class that each request makes an instance of."""
    if hasattr(application, "__await__") and takes(signature, 3):
        return "asgi"
    if hasattr(application, "__iter__") and takes(signature, 2):
        return "wsgi"
    if is_async(application) and takes(signature, 1):
        call = signature_of(application.__call__, follow_wrapped=False)
        if takes(call, 3) and not takes(call, 4):  # self, receive and send, but no scope
            raise _asgi2(name)
    hint = "" if is_made else f'If its instances are applications, write "{_as_call(name, signature)}".'
    raise InterfaceProblem(f'"{name}" is not an application but a class', hint)


def _asgi2(name: str) -> InterfaceProblem:
    hint = "Mount what asgiref.compatibility.guarantee_single_callable makes of it."
    return InterfaceProblem(f'"{name}" is an application of ASGI 2, which is called twice', hint)


def _wraps_asgi(application: Callable[..., Any]) -> bool:
    """Return whether a decorator or a partial whose arguments fit both interfaces wraps an ASGI application."""
    inner = inspect.unwrap(application.func if isinstance(application, functools.partial) else application)
    signature = signature_of(inner, follow_wrapped=False)
    takes_only_three = takes(signature, 3) and not takes(signature, 2)
    return is_async(inner) or takes_only_three or _first_parameter(signature) == "scope"


def is_async(application: Callable[..., Any]) -> bool:
    """Return whether a call returns a coroutine; for a class, whether a call of an instance does."""
    call = getattr(application, "__call__", None)  # noqa: B004 (the instance may have one of its own)
    return inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(call)


def signature_of(function: Callable[..., Any], *, follow_wrapped: bool = True) -> inspect.Signature | None:
    """Return the signature of a callable; None for a built-in one that has none."""
    try:
        return inspect.signature(function, follow_wrapped=follow_wrapped)
    except (ValueError, TypeError):
        return None


def takes(signature: inspect.Signature | None, count: int) -> bool:
    """Return whether a callable takes that many arguments; True if it has no signature."""
    if signature is None:
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _has_options_of_its_own(signature: inspect.Signature | None) -> bool:
    """Return whether a callable of any arguments names some of them, which no decorator does that hands them on."""
    parameters = signature.parameters.values() if signature else ()
    kinds = {parameter.kind for parameter in parameters}
    return inspect.Parameter.VAR_POSITIONAL in kinds and inspect.Parameter.KEYWORD_ONLY in kinds


def _first_parameter(signature: inspect.Signature | None) -> str:
    return next(iter(signature.parameters), "") if signature else ""


def _as_call(name: str, signature: inspect.Signature | None) -> str:
    return f"{name}()" if takes(signature, 0) else f"{name}(...)"
