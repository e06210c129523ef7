"""Finds the file, reads and checks it, and makes the configuration of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tomli

from multiserve.config.arguments import read_arguments
from multiserve.config.env_files import read_env_files
from multiserve.config.environment import read_env, read_pythonpath
from multiserve.config.groups import read_groups
from multiserve.config.manage_address import read_manage_address
from multiserve.config.misplaced import take_out_misplaced
from multiserve.config.model import LEVELS, MODULE, Config, Development, Server
from multiserve.config.mounts import OPTIONS, FleetMount, Mount, attempt, read_middleware, read_mount
from multiserve.config.source import Source
from multiserve.config.tables import Table, did_you_mean, quote_key
from multiserve.config.toml_slips import explain
from multiserve.config.variables import Variables
from multiserve.errors import ConfigError, Problem, raise_for
from multiserve.excerpts import excerpt
from multiserve.keys import KeyProblem, MountKey, parse_key

CONFIG_VARIABLE = "MULTISERVE_CONFIG"
FILE_NAME = "multiserve.toml"
PYPROJECT = "pyproject.toml"


def find_config(explicit: str | os.PathLike[str] | None = None) -> Path:
    """Find the file: the explicit one, `MULTISERVE_CONFIG`, `multiserve.toml`, or `[tool.multiserve]`.

    Raises:
        ConfigError: None of the four is there.
    """
    if explicit is not None:
        return Path(explicit)
    if variable := os.environ.get(CONFIG_VARIABLE):
        if not _exists(variable):
            hint = "Correct the variable, unset it, or name a file with --config."
            raise ConfigError(Problem(key=CONFIG_VARIABLE, message=f'there is no file "{variable}"', hint=hint))
        return Path(variable)
    if _exists(FILE_NAME):
        return Path(FILE_NAME)
    if _exists(PYPROJECT) and _pyproject_table(_read_toml(Path(PYPROJECT))) is not None:
        return Path(PYPROJECT)
    raise ConfigError(
        Problem(
            message=f"no configuration: there is no {FILE_NAME} here, and no [tool.multiserve] in {PYPROJECT}",
            hint=f"Name a file with --config or {CONFIG_VARIABLE}, or write a {FILE_NAME}:\n"
            '\n    [mounts]\n    "/" = "module:app"',
        )
    )


def _exists(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110 (Path.exists raises where the system refuses to look)


def load_config(
    source: Source | str | os.PathLike[str],
    check: Callable[[Config], Iterable[Problem]] = lambda _: (),
    *,
    env_files: Iterable[Path] = (),
) -> Config:
    """Read and check a configuration, all mistakes in one run.

    Args:
        source: Where it comes from: the path of a file, or a source of either kind.
        check: Find more problems in what was read; where there are mistakes it has the defaults.
        env_files: Files of environment variables, which count as if they were set, and before those under `[env]`.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or has mistakes in it, or a target has.
    """
    source = source if isinstance(source, Source) else Source(Path(source))
    from_files = read_env_files(env_files := tuple(env_files))
    document, root, written = _read_file(source.file, {**from_files, **os.environ}) if source.file else ({}, "", {})
    problems: list[Problem] = []
    config = _read_config(Table(document, root, problems), source.absolute(), root)
    env = MappingProxyType({**config.env, **from_files})
    config = replace(config, env=env, env_files=env_files, written=MappingProxyType(written))
    raise_for(map(source.word, [*problems, *check(config)]), source=source.heading)
    return config


def _read_file(file: Path, environment: Mapping[str, str]) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Return the tables of a file with its variables replaced, the key path of the table, and each value as written."""
    document = _read_toml(file)
    root = ""
    if file.name == PYPROJECT:
        root, table = "tool.multiserve", _pyproject_table(document)
        if table is None:
            hint = f"Write [{root}.mounts] in it, or name another file with --config."
            raise ConfigError(Problem(message=f"there is no [{root}] table", hint=hint), source=str(file))
        document = table
    variables = Variables(environment, root)
    replaced = variables.replace(document)
    raise_for(variables.problems, source=str(file))  # what is read with holes in it would only raise more questions
    return replaced, root, dict(_leaves(replaced, document, root))


def _leaves(table: Mapping[str, Any], written: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """Yield each value that is not a table with values of its own, as it is written, with its key path."""
    for (name, value), as_written in zip(table.items(), written.values(), strict=True):
        path = f"{key}.{quote_key(name)}" if key else quote_key(name)
        if isinstance(value, dict) and value:
            yield from _leaves(value, as_written, path)
        else:
            yield path, as_written


def select(config: Config, keys: Iterable[str]) -> Config:
    """Keep only the mounts with the given keys, at their own prefixes; the others are served elsewhere.

    Raises:
        ConfigError: There is no mount with such a key.
    """
    wanted = set()
    problems = []
    known = {mount.key.place: mount.name for mount in config.mounts}
    fleets = [mount for mount in config.mounts if isinstance(mount, FleetMount)]
    members = {fleet.key.place: {each.key.place for each in fleet.members} for fleet in fleets}
    for text in keys:
        try:
            key = parse_key(text)
        except KeyProblem as error:
            problems.append(error.at(text))
            continue
        if key.place not in known:
            problems.append(Problem(key=text, message="no such mount", hint=did_you_mean(text, known.values())))
        wanted.add(key.place)
        wanted |= members.get(key.place, set())
    raise_for(problems)
    mounts = tuple(mount for mount in config.mounts if mount.key.place in wanted)
    elsewhere = tuple(mount for mount in config.mounts if mount.key.place not in wanted)
    return replace(config, mounts=mounts, elsewhere=(*config.elsewhere, *elsewhere))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomli.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        problem = Problem(message="no such file", hint=f"Check the path given by --config or {CONFIG_VARIABLE}.")
    except IsADirectoryError:
        problem = Problem(message="this is a folder", hint=f"Name the file in it, such as {path / FILE_NAME}.")
    except OSError as error:
        problem = Problem(message=f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        lines = error.object.count(b"\n", 0, error.start)
        message = f"not UTF-8: the byte 0x{error.object[error.start]:02x}"
        raise ConfigError(Problem(key=f"{path}:{lines + 1}", message=message, hint="Save the file as UTF-8.")) from None
    except tomli.TOMLDecodeError as error:
        raise ConfigError(_not_toml(path, error)) from None
    except RecursionError:
        problem = Problem(message="not TOML: nested too deeply")
    except ValueError as error:  # such as an integer of more than 4300 digits, or a NUL in the path
        problem = Problem(message=f"cannot be read: {error}")
    raise ConfigError(problem, source=str(path))


def _not_toml(path: Path, error: tomli.TOMLDecodeError) -> Problem:
    slip = explain(error.doc, error.lineno, error.colno, error.msg)
    return Problem(
        key=f"{path}:{slip.line}:{slip.column}",
        message=f"not TOML: {slip.message}",
        hint=slip.hint,
        excerpt=excerpt(error.doc.split("\n")[slip.line - 1].removesuffix("\r"), slip.line, slip.column),
    )


def _pyproject_table(document: dict[str, Any]) -> dict[str, Any] | None:
    tool = document.get("tool")
    table = tool.get("multiserve") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _read_config(table: Table, source: Source, root: str) -> Config:
    known = tuple(each.name for each in fields(Config) if each.metadata)
    table = take_out_misplaced(table, known)
    table.refuse_unknown(known)
    server = table.table("server")
    mounts = _read_mounts(table, source)
    return Config(
        source=source,
        mounts=mounts,
        groups=read_groups(table, mounts, source.folder),
        middleware=read_middleware(table),
        ignore=table.texts("ignore"),
        select=table.texts("select"),
        severity=_read_severity(table.table("severity")),
        plugins=_read_plugins(table),
        env=read_env(table.table("env")),
        pythonpath=(source.folder, *read_pythonpath(table, source.folder)),
        server=server.read(
            Server,
            middleware=read_middleware(server),
            maintenance_page=_read_page(server, source.folder),
            manage=_read_manage(server, source.folder),
        ),
        development=table.table("development").read(Development),
        gunicorn=MappingProxyType(dict(table.table("gunicorn").values)),
        root=root,
    )


def _read_page(server: Table, folder: Path) -> Path | None:
    """Read the path of the page of mounts in maintenance, relative to the folder of the file."""
    if not (name := server.text("maintenance_page")):
        return None
    path = folder / name
    if not os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises where a name is too long)
        server.refuse("maintenance_page", f"no such file: {path}", "The path is relative to the folder of this file.")
    return path


def _read_manage(server: Table, folder: Path) -> str:
    """Read the address of the management listener; a path is relative to the folder of the file."""
    if not (text := server.text("manage")):
        return ""
    try:
        return read_manage_address(text, folder)
    except ValueError as error:
        server.refuse("manage", str(error), 'Write "127.0.0.1:9000", or "unix:run/manage.sock".')
        return ""


def _read_severity(table: Table) -> Mapping[str, str]:
    """Read how severe the findings of each code are; whether there is such a code is known only to the checks."""
    return MappingProxyType({code: table.choice(code, LEVELS[0], LEVELS) for code in table})


def _read_plugins(table: Table) -> tuple[str, ...]:
    names = table.texts("plugins")
    for position, name in enumerate(names):
        if name.endswith("\n") or not re.fullmatch(MODULE, name):  # a $ lets a newline pass
            table.refuse("plugins", f'"{name}" is not the name of a module', 'Write it with dots: "shop.checks".')
        elif name in names[:position]:
            table.refuse("plugins", f'"{name}" is named twice', "Keep one of the two.")
    return names


def _read_mounts(table: Table, source: Source) -> tuple[Mount, ...]:
    mounts = table.table("mounts")
    elsewhere = (f"Write it under [{mounts.key}].", 'Did you mean "mounts"?')
    is_elsewhere = any(problem.hint in elsewhere for problem in table.problems)
    if source.targets:
        mounts = read_arguments(source.targets, source.folder, table.problems)
    elif not mounts.values and isinstance(table.values.get("mounts", {}), dict) and not is_elsewhere:
        table.refuse("mounts", "there are no mounts", 'Write at least one, such as "/" = "module:app".')
    read = []
    names: dict[tuple[Any, ...], str] = {}
    for name, value in mounts.values.items():
        if host := _host_without_quotes(name, value):
            hint = f'A host is written in quotes, "{host}", and a path begins with a slash, "/{name}".'
            mounts.refuse(name, "this is a table, not the key of a mount", hint)
            continue
        key: MountKey | None = attempt(mounts, name, parse_key, name)
        if key and (earlier := names.setdefault(key.place, name)) != name:
            mounts.refuse(name, f"the same mount as {mounts.path(earlier)}", "Keep one of the two.")
        if mount := read_mount(mounts, name, key, source):
            read.append(mount)
    return (*read, *_members(read))


def _members(mounts: Sequence[Mount]) -> Iterator[Mount]:
    """Yield the mounts of fleets; one that the configuration has itself comes before that of a fleet."""
    places = {mount.key.place for mount in mounts}
    for fleet in mounts:
        for member in fleet.members if isinstance(fleet, FleetMount) else ():
            if member.key.place not in places:
                places.add(member.key.place)
                yield member


def _host_without_quotes(name: str, value: object) -> str:
    """Return the host that was meant if TOML made tables of it, as it has no quotes; empty if it is none."""
    parts = [name]
    while isinstance(value, dict) and value and not OPTIONS & value.keys():
        part, value = next(iter(value.items()))
        parts.append(part)
    is_word = quote_key(name) == name and name.lower() != "localhost"
    return ".".join(parts) if is_word and len(parts) > 1 else ""
