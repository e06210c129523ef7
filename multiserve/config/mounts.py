"""The entries of `[mounts]`: a dataclass for each kind of mount, and how one entry is read into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, get_args
from urllib.parse import urlsplit

from multiserve._types import Interface
from multiserve.config.tables import Table, describe, option
from multiserve.config.targets import Target, TargetProblem, parse_target
from multiserve.hosts import normalise_host
from multiserve.keys import KeyProblem, MountKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """What every mount has.

    Attributes:
        kind: What it is, in one word.
        key: Where it stands.
        toml_key: The key path of its entry, as TOML spells it.
        what: What the file mounts here, as it spells it.
        middleware: What wraps it, outermost first.
    """

    kind: ClassVar[str]
    key: MountKey
    toml_key: str
    what: str
    middleware: tuple[Target, ...] = option(
        (), help="WSGI or ASGI middleware, outermost first: module:Class or module:factory(option=1)."
    )
    required: bool = option(default=False, help="Refuse to start when this mount cannot be loaded or started.")
    slash: str = option(
        "keep",
        help="What the prefix without a slash behind it gets: keep hands it to the mount, redirect adds the slash.",
        choices=("keep", "redirect"),
    )
    probe: tuple[str, ...] = option(
        (), help='Paths below the prefix that "check --probe" asks for, beside the root.', pattern="^/"
    )
    ignore: tuple[str, ...] = option((), help="Codes of checks whose findings about this mount are not wanted.")

    @property
    def name(self) -> str:
        """The key as text: what logs, workers, lifespans and findings call the mount."""
        return str(self.key)

    def mentions(self, text: str) -> bool:
        """Tell whether the key or the target contains a text, in capitals or not."""
        return any(text.casefold() in value.casefold() for value in (self.name, self.what))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppMount(Mount):
    """An application."""

    kind = "app"
    target: Target
    interface: Interface | None = option(
        default=None,
        help="What the application speaks, wsgi or asgi, where multiserve cannot tell.",
        choices=get_args(Interface),
    )
    threads: int = option(
        4, help="Threads for a WSGI application that is mounted beside ASGI ones.", minimum=1, maximum=1000
    )
    max_concurrency: int = option(
        0,
        help="Requests that it may have at a time, beyond which the answer is 503; 0 is no bound.",
        minimum=0,
        maximum=100_000,
    )
    strip: bool = option(
        default=False,
        help="Hide the prefix from an application that ignores SCRIPT_NAME or root_path, and take it off the path.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantMount(AppMount):
    """A factory, which makes an application for each value of the placeholders in the key."""

    kind = "tenants"
    max_instances: int = option(
        128, help="Tenants that are kept; the least recently used one goes first.", minimum=1, maximum=1_000_000
    )
    idle_seconds: int = option(
        0, help="Seconds after which an unused tenant is given up; 0 is never.", minimum=0, maximum=10_000_000
    )
    refused_seconds: int = option(
        60,
        help="Seconds for which a name is remembered for which the factory returned None.",
        minimum=0,
        maximum=10_000_000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticMount(Mount):
    """A folder of files.

    Attributes:
        folder: The folder, absolute.
    """

    kind = "static"
    folder: Path
    index: str = option("index.html", help="The file that answers for a folder.")
    fallback: str = option("", help="The file that answers navigations to what is not there, for single-page apps.")
    max_age: int | None = option(
        None,
        help="Seconds for which browsers may keep a file; by default they ask each time.",
        minimum=0,
        maximum=10**9,
    )
    immutable: tuple[str, ...] = option((), help="Files that never change, such as those with a hash in their names.")
    dot_files: bool = option(default=False, help="Serve files whose names begin with a dot, too.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMount(Mount):
    """One file at one URL.

    Attributes:
        path: The file, absolute.
    """

    kind = "file"
    path: Path
    max_age: int | None = option(
        None,
        help="Seconds for which browsers may keep the file; by default they ask each time.",
        minimum=0,
        maximum=10**9,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectMount(Mount):
    """A redirect, which keeps the rest of the path and the query."""

    kind = "redirect"
    status: int = option(308, help="The status of the redirect.", choices=(301, 302, 303, 307, 308))


KINDS = {
    "app": "The application, or the factory of tenants: module:attribute, module:factory(...) or path/to/file.py:app.",
    "static": "The folder of files, relative to the folder of the configuration.",
    "file": "The file that answers at this URL alone, relative to the folder of the configuration.",
    "redirect": "The path, or the URL, to which the rest of the path and the query are appended.",
}
OPTIONS = frozenset(
    field.name
    for kind in (TenantMount, StaticMount, FileMount, RedirectMount)
    for field in fields(kind)
    if field.metadata
).union(KINDS)


def read_mount(  # noqa: PLR0911 (one for each kind)
    mounts: Table, name: str, key: MountKey | None, folder: Path
) -> Mount | None:
    """Read one entry of `[mounts]`; None where it is so wrong that nothing can be made of it.

    Args:
        mounts: The table.
        name: The key of the entry.
        key: The same parsed; None if it is wrong.
        folder: The folder that relative paths start from.
    """
    value = mounts.values[name]
    if isinstance(value, str):  # a bare string is `app`, told under the key that the file has
        return _read_app(mounts, name, Table({}, mounts.path(name), mounts.problems), key)
    if not isinstance(value, dict):
        mounts.refuse(name, f"expected a target, found {describe(value)}", 'Write "module:attribute" in quotes.')
        return None
    table = Table(value, mounts.path(name), mounts.problems)
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) > 1:
        mounts.refuse(name, f"a mount cannot be both {' and '.join(kinds)}", "Keep one of them.")
        return None
    if not kinds:
        hint = 'Write { app = "module:attribute" }, { static = "folder" }, { file = "name" } or { redirect = "/path" }.'
        mounts.refuse(name, "a mount needs an app, a static folder, a file or a redirect", hint)
        table.refuse_unknown(OPTIONS)
        return None
    if kinds == ["app"]:
        return _read_app(table, "app", table, key)
    if key and key.placeholders:
        mounts.refuse(name, "only an app can stand at a key with placeholders", "Write one key for each prefix.")
    if kinds == ["redirect"]:
        return _read_redirect(table, key)
    return _read_static(table, key, folder) if kinds == ["static"] else _read_file(table, key, folder)


def _read_app(holder: Table, name: str, table: Table, key: MountKey | None) -> Mount | None:
    """Read the options of an application from `table`, and its target from where `holder` has it."""
    text = holder.text(name)
    target = None if text is None else attempt(holder, name, parse_target, text)
    kind = TenantMount if key and key.placeholders else AppMount
    mount = _read_options(table, kind, key, given="app", what=text, target=target)
    return mount if key and target else None


def _read_static(table: Table, key: MountKey | None, folder: Path) -> Mount | None:
    text = table.text("static")
    place = folder / (text or "")
    if text is not None and (not text or folder.resolve().is_relative_to(place.resolve())):
        hint = 'Name a folder of files alone, such as "static".'
        table.refuse("static", "this folder holds the configuration, which everybody could read then", hint)
    mount = _read_options(table, StaticMount, key, given="static", what=text, folder=place)
    return mount if key and text is not None else None


def _read_file(table: Table, key: MountKey | None, folder: Path) -> Mount | None:
    text = table.text("file")
    if text == "":
        table.refuse("file", "there is no name", 'Name a file, such as "site/robots.txt".')
    mount = _read_options(table, FileMount, key, given="file", what=text, path=folder / (text or ""))
    return mount if key and text is not None else None


def _read_redirect(table: Table, key: MountKey | None) -> Mount | None:
    text = table.text("redirect")
    mount = _read_options(table, RedirectMount, key, given="redirect", what=text)
    if text is not None:
        attempt(table, "redirect", check_redirect, text)
    return mount if key and text is not None else None


def _read_options(table: Table, kind: type[Mount], key: MountKey | None, *, given: str, **known: Any) -> Mount:
    for path in table.texts("probe"):
        if not path.startswith("/"):
            table.refuse("probe", f'"{path}" does not begin with a slash', f'Write "/{path}".')
    middleware = read_middleware(table)
    options = {name: value for name, value in table.values.items() if name != given}
    return Table(options, table.key, table.problems).read(
        kind, key=key, toml_key=table.key, middleware=middleware, **known
    )


def read_middleware(table: Table) -> tuple[Target, ...]:
    """Read the targets of `middleware`."""
    parsed = (attempt(table, "middleware", _parse_middleware, text) for text in table.texts("middleware"))
    return tuple(target for target in parsed if target)


def _parse_middleware(text: str) -> Target:
    target = parse_target(text)
    if not target.attribute:
        raise TargetProblem(f'"{text}" names no middleware', 'Write "module:Class" or "module:factory(option=1)".')
    return target


def attempt(table: Table, name: str, parse: Callable[[str], Any], text: str) -> Any:
    """Parse a text of a table; None where it is wrong, which the table then knows."""
    try:
        return parse(text)
    except (KeyProblem, TargetProblem) as error:
        table.refuse(name, str(error), error.hint)
        return None


def check_redirect(text: str) -> None:
    """Check the target of a redirect.

    Raises:
        TargetProblem: It is neither an absolute path nor an absolute URL.
    """
    shape = 'Write "/path" or "https://example.com/path".'
    if "?" in text or "#" in text:
        raise TargetProblem("a redirect keeps the query of the request, and has none of its own", shape)
    if "{" in text or "}" in text:
        raise TargetProblem("a redirect has no placeholders", shape)
    if not text.isprintable() or " " in text or "\\" in text:
        raise TargetProblem("a redirect has no spaces, backslashes or control characters", shape)
    if text.startswith("/") and not text.startswith("//"):
        return
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise TargetProblem(f"not a URL: {error}", shape) from None
    if parts.scheme in ("http", "https") and not parts.netloc.isascii():
        raise TargetProblem(f'"{parts.netloc}" is not as browsers send it', 'Write the host in its "xn--" form.')
    if parts.scheme in ("http", "https") and "@" in parts.netloc:
        raise TargetProblem("a redirect has no user", shape)
    if parts.scheme not in ("http", "https") or normalise_host(parts.netloc) is None:
        raise TargetProblem(f'"{text}" is neither a path nor a URL', shape)
