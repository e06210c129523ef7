"""`multiserve init`: write a multiserve.toml for what is in a folder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multiserve.cli.output import reported_errors
from multiserve.config.file import FILE_NAME
from multiserve.errors import ConfigError, Problem
from multiserve.keys import KeyProblem, parse_key

if TYPE_CHECKING:
    from multiserve.discovery.proposals import Proposal, Proposals  # imported where it is used, as in other commands
    from multiserve.drafts import Draft

_LEAVE_OUT = "-"


@click.command()
@click.option("--traceback", is_flag=True, envvar="MULTISERVE_TRACEBACK", help="Show the traceback of an error.")
@click.option("--yes", is_flag=True, help="Take what is proposed, and ask nothing.")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def init(*, folder: Path, yes: bool, traceback: bool) -> None:
    """Write a multiserve.toml for the applications in FOLDER, which is this one unless another is given.

    It looks for applications and factories of Flask, Django, FastAPI, Starlette, Litestar, Pyramid, Dash and others,
    MCP servers, static folders and what Vite has built, without importing anything. What looks like the site itself
    is mounted at the root, and others below their names; it asks where that is not certain.

    \b
    Examples:
        multiserve init
        multiserve init --yes
        multiserve init shop
    """  # noqa: D301 (click's mark is a control character)
    from multiserve.discovery.proposals import find_proposals
    from multiserve.drafts import to_toml

    with reported_errors(show_traceback=traceback):
        path = folder / FILE_NAME
        _refuse_folder(folder, path)
        try:
            proposals = find_proposals(folder)
        except OSError as error:
            message = f"{error.filename} cannot be read: {error.strerror or error}"
            raise ConfigError(Problem(message=message)) from None
        _refuse_nothing(folder, proposals)
        chosen = _choose(proposals, yes=yes)
        write_new(path, to_toml(to_draft(chosen)))
        click.echo(_summary(path, chosen))


def _refuse_folder(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(Problem(message=f'there is no folder "{folder}"'))
    refuse_existing(path)


def refuse_existing(path: Path) -> None:
    """Refuse to write a file that is there.

    Raises:
        ConfigError: It is.
    """
    if path.exists():
        hint = f'It stays as it is. "multiserve check -c {path}" shows what is in it.'
        raise ConfigError(Problem(message=f"there is a {path} already", hint=hint))


def _refuse_nothing(folder: Path, proposals: Proposals) -> None:
    if proposals.mounts:
        return
    where = "this folder" if folder == Path() else f'"{folder}"'
    if proposals.remarks:
        problems = [Problem(key=each.what, message=each.reason) for each in proposals.remarks]
        raise ConfigError(Problem(message=f"there is nothing in {where} that can be mounted"), *problems)
    hint = (
        "It looks for applications and factories of Flask, Django, FastAPI, Starlette, Litestar, Pyramid and others,\n"
        f"    for static folders and for Vite. Write a {FILE_NAME} yourself:\n"
        '\n    [mounts]\n    "/" = "module:app"'
    )
    raise ConfigError(Problem(message=f"there is no application in {where}", hint=hint))


def _choose(proposals: Proposals, *, yes: bool) -> Proposals:
    """Ask where something is to be mounted, if that is not certain."""
    from multiserve.discovery.proposals import Proposals

    open_questions = [each for each in proposals.mounts if not each.is_certain]
    if yes or not open_questions:
        return proposals
    if not _is_terminal():
        what = ", ".join(each.found.what for each in open_questions)
        hint = 'Run "multiserve init --yes" to take what is proposed.'
        message = f"where to mount {what} has to be asked, and there is no terminal to ask in"
        raise ConfigError(Problem(message=message, hint=hint))
    click.echo('Where is it mounted? Enter takes what is in brackets; "-" leaves it out.')
    chosen: list[Proposal] = [each for each in proposals.mounts if each.is_certain]
    for each in open_questions:
        key = _ask(each, {other.key for other in chosen})
        chosen.append(replace(each, key=key))
    order = {id(each.found): number for number, each in enumerate(proposals.mounts)}
    kept = sorted((each for each in chosen if each.key), key=lambda each: (each.key != "/", order[id(each.found)]))
    if not kept:
        raise ConfigError(Problem(message="nothing is left to be mounted"))
    return Proposals(kept, proposals.remarks)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _ask(proposal: Proposal, taken: set[str]) -> str:
    """Ask for one key until it is one; empty if it is to be left out."""
    from multiserve.discovery.proposals import why_not_at

    found = proposal.found
    default = proposal.key if proposal.key not in taken else None
    while True:
        text = click.prompt(f"{found.what} ({found.kind}, {found.where})", default=default)
        if text.strip() == _LEAVE_OUT:
            return ""
        try:
            key = str(parse_key(text.strip()))
        except KeyProblem as error:
            click.echo(f"{error}. {error.hint}")
            continue
        if key in taken:
            click.echo(f"{key} is taken.")
        elif reason := why_not_at(found, key):
            click.echo(reason)
        else:
            return key


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there.

    Raises:
        ConfigError: It cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(Problem(message=f"{path} cannot be written: {error.strerror or error}")) from None


def to_draft(proposals: Proposals) -> Draft:
    """Return the file that the proposals come to."""
    from multiserve.drafts import NEXT_MOUNTS, NEXT_TABLES, Draft, DraftMount

    draft = Draft(
        header=[
            'Written by "multiserve init". What each key means, and which more there are:',
            "multiserve.toml.example, and docs/file.md, of multiserve.",
        ],
        title="Not mounted:",
        footer=(*NEXT_MOUNTS, *NEXT_TABLES),
    )
    for each in proposals.mounts:
        if not each.key:
            continue
        found = each.found
        said = f"{found.kind}, {found.where}" + (f"\n{found.comment}" if found.comment else "")
        draft.mounts.append(DraftMount(each.key, dict(found.options), said))
        draft.env.update(found.env)
        if found.pythonpath and found.pythonpath not in draft.pythonpath:
            draft.pythonpath.append(found.pythonpath)
    for remark in proposals.remarks:
        draft.note(remark.what, remark.reason)
    return draft


def _summary(path: Path, proposals: Proposals) -> str:
    """Return what was written, and what to type next."""
    width = max(len(each.key) for each in proposals.mounts)
    mounts = [f"  {each.key.ljust(width)}  {each.found.what}  ({each.found.kind})" for each in proposals.mounts]
    left = [f"  not mounted: {each.what} (see the file)" for each in proposals.remarks]
    option = "" if path.parent == Path() else f" -c {path}"
    number = len(proposals.mounts)
    return "\n".join(
        [
            f"Wrote {path} with {number} mount{'' if number == 1 else 's'}:",
            *mounts,
            *left,
            "Next:",
            f"  multiserve check{option}",
            f"  multiserve run{option}",
        ]
    )
