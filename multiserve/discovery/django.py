"""Django projects: wsgi.py and asgi.py as startproject writes them, or manage.py alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.found import Found, Remark
from multiserve.discovery.project import Project
from multiserve.python_source.source import PythonSource, Unreadable

_MAKERS = {"get_wsgi_application": "wsgi", "get_asgi_application": "asgi"}
_STATIC = 'Static files in production: "manage.py collectstatic", and a mount of the STATIC_ROOT at the STATIC_URL.'
_SECOND = "A process has one Django project: serve this one with a multiserve of its own."


def find(project: Project) -> Iterator[Found | Remark]:
    """Find the projects: one for each module with settings."""
    sources = [source for source in project.sources if any(source.calls(*_MAKERS))]
    found: dict[str, PythonSource] = {}
    for source in sources:
        package = source.module.rpartition(".")[0] or source.module
        earlier = found.get(package)
        if earlier is None or _rank(source) > _rank(earlier):
            found[package] = source
    made = [each for package, source in found.items() if (each := _from_module(project, package, source))]
    made = made or [each for source in project.sources for each in _managed(project, source)]
    for number, each in enumerate(made):
        yield Remark(f"Django, {each.where}", _SECOND, each.file) if number else each


def _rank(source: PythonSource) -> int:
    """Return which of two modules is mounted: asgi.py if it does more than startproject writes, else wsgi.py."""
    is_asgi = any(source.calls("get_asgi_application"))
    more = any(source.calls("ProtocolTypeRouter", "Starlette", "FastAPI"))
    return (2 if more else 0) if is_asgi else 1


def _from_module(project: Project, package: str, source: PythonSource) -> Found | None:
    makers = tuple(_MAKERS)
    name = next(
        (
            name
            for name in ("application", "app", *source.module_bindings())
            for value in source.module_bindings().get(name, [])
            if isinstance(value, ast.Call) and (source.last_name(value.func) in (*makers, "ProtocolTypeRouter"))
        ),
        "",
    )
    if not name:
        return None
    target = source.module if name == "application" else f"{source.module}:{name}"
    call = next(source.calls(*makers))
    return Found(
        "Django",
        {"app": target},
        project.where(source, call.lineno),
        (package.rpartition(".")[2],),
        project.pythonpath(source),
        comment=_STATIC,
        file=project.file(source),
    )


def _managed(project: Project, source: PythonSource) -> Iterator[Found]:
    """Find a manage.py that names settings, in a project without wsgi.py and asgi.py."""
    if source.path.name != "manage.py":
        return
    for call in source.calls("setdefault"):
        try:
            values = [source.literal(each) for each in call.args]
        except Unreadable:
            continue
        if values[:1] == ["DJANGO_SETTINGS_MODULE"] and values[1:]:
            yield Found(
                "Django",
                {"app": "django.core.wsgi:get_wsgi_application()"},
                project.where(source, call.lineno),
                (str(values[1]).partition(".")[0],),
                project.pythonpath(source),
                env={"DJANGO_SETTINGS_MODULE": str(values[1])},
                comment=_STATIC,
                file=project.file(source),
            )
