"""The URL configuration of Django: its patterns as routes, and what its resolver finds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from multiserve.frameworks.expressions import as_path
from multiserve.frameworks.facts import InnerRoute
from multiserve.frameworks.reading import is_a, known, loaded, plain_methods
from multiserve.frameworks.views import place_of, undecorated

LOCALE = "django.middleware.locale.LocaleMiddleware"
_DEEPEST = 16  # include() in include()
_RESOLVERS = "django.urls.resolvers"


class Resolved(NamedTuple):
    """A view, and the route that leads to it.

    Attributes:
        view: What the URL configuration names.
        route: The route as people read it; None if it cannot be told which one it is.
    """

    view: Any
    route: InnerRoute | None


class Pattern(NamedTuple):
    """One pattern of the URL configuration.

    Attributes:
        path: The whole pattern as people read it.
        name: That of the pattern, behind its namespaces; "" for none.
        view: What it names.
        text: The whole pattern as Django's `ResolverMatch.route` writes it.
    """

    path: str
    name: str
    view: Any
    text: str

    @property
    def route(self) -> InnerRoute:
        """The pattern as a route, for which the view is looked for in its source."""
        place = place_of(self.view)._asdict()
        return InnerRoute(path=self.path, methods=_methods(self.view), name=self.name, **place)


def walk(urlconf: Any) -> Iterator[Pattern]:
    """Return all patterns, importing the modules of the URL configuration, as the first request does."""
    resolver = loaded(_RESOLVERS, "get_resolver")(urlconf)
    return _walk(resolver.url_patterns, Pattern("/", "", None, ""), _DEEPEST)


def load(settings: Any) -> None:
    """Import the URL configuration, or raise as each request would."""
    if urlconf := getattr(settings, "ROOT_URLCONF", None):  # else middleware may give one to each request
        list(loaded(_RESOLVERS, "get_resolver")(urlconf).url_patterns)


def _walk(patterns: Iterable[Any], above: Pattern, depth: int) -> Iterator[Pattern]:
    if depth == 0:
        raise RecursionError("the URL configuration includes itself")
    for each in patterns:
        path = above.path + _path(each.pattern)
        text = _join(above.text, str(each.pattern))
        if is_a(each, _RESOLVERS, "URLResolver"):
            namespace = f"{above.name}{each.namespace}:" if each.namespace else above.name
            yield from _walk(each.url_patterns, Pattern(path, namespace, None, text), depth - 1)
        else:
            yield Pattern(path, f"{above.name}{each.name}" if each.name else "", each.callback, text)


def _join(above: str, text: str) -> str:
    return above + text.removeprefix("^") if above else text


def _path(pattern: Any) -> str:
    if is_a(pattern, _RESOLVERS, "LocalePrefixPattern"):
        return "<language>/"
    return as_path(str(pattern)) if is_a(pattern, _RESOLVERS, "RegexPattern") else str(pattern)


def _methods(view: Any) -> tuple[str, ...]:
    """Read the methods of a class-based view, of a viewset, or of `require_http_methods`."""
    actions = getattr(view, "actions", None)
    if isinstance(actions, dict):  # a viewset of the REST framework
        return plain_methods(name.upper() for name in actions)
    written = undecorated(view)
    if isinstance(written, type) and hasattr(written, "http_method_names"):
        handled = (name for name in written.http_method_names if hasattr(written, name))
        return plain_methods(name.upper() for name in handled)
    while view is not None:
        free = getattr(getattr(view, "__code__", None), "co_freevars", ())
        if "request_method_list" in free:
            return plain_methods(view.__closure__[free.index("request_method_list")].cell_contents)
        view = getattr(view, "__dict__", {}).get("__wrapped__")
    return ()


def has_languages(settings: Any) -> bool:
    """Return whether there are `i18n_patterns`."""
    patterns = loaded(_RESOLVERS, "get_resolver")(settings.ROOT_URLCONF).url_patterns
    return any(is_a(each.pattern, _RESOLVERS, "LocalePrefixPattern") for each in patterns)


def resolve(settings: Any, path: str) -> Resolved | None:
    """Ask the resolver for a path, in the language that it has."""
    urlconf = settings.ROOT_URLCONF
    resolver = loaded(_RESOLVERS, "get_resolver")(urlconf)
    with _language(settings, path) if has_languages(settings) else contextlib.nullcontext():
        try:
            found = resolver.resolve(path)
        except loaded("django.urls.exceptions", "Resolver404"):
            return None
        patterns = known(lambda: [each for each in walk(urlconf) if each.view is found.func], [])
        same = [each for each in patterns if each.text == found.route]
        return Resolved(found.func, same[0].route if same else None)


def _language(settings: Any, path: str) -> Any:
    """Activate the language that the request would have."""
    language = settings.LANGUAGE_CODE
    if LOCALE in settings.MIDDLEWARE:
        language = loaded("django.utils.translation", "get_language_from_path")(path) or language
    return loaded("django.utils.translation", "override")(language)
