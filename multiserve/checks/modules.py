"""Checks of the names of modules, of which a process has one each: which of two an application has really imported."""

from __future__ import annotations

import ast
import site
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

from multiserve.checks.check import check
from multiserve.checks.own_sources import OwnModule, own_modules, read_source
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding
from multiserve.tracebacks import is_foreign

_NOT_IMPORTED = ("__main__", "conftest", "setup", "test", "tests")  # run, or of tests
_SHARED = 2  # files of two packages by whose names they are one project


class Mistake(NamedTuple):
    """An import that gets another module than the one beside the importing file.

    Attributes:
        member: The mount that has imported the file.
        file: The importing file.
        line: The line there.
        name: The first part of the name that is imported.
        own: The module beside the file.
        actual: What the name stands for in this process.
        is_certain: Whether the module beside was meant for certain.
    """

    member: CheckedMount
    file: Path
    line: int
    name: str
    own: Path
    actual: Path
    is_certain: bool


@check(
    "MS112",
    "error",
    "an application imports the module of another one",
    consequence="It runs with the code of the other application.",
)
def mistaken_imports(subject: Subject) -> Iterator[Finding]:
    """A process has one module of each name: whichever of two applications imports a config.py first has its own.

    The imports of the modules that a mount brings are read, those inside functions included, and compared with what
    their names stand for in this process. Where the folder that the importing module was found in has another module of
    that name, this is the one that was meant. If Python itself or an installed package has the name, or the import may
    fail, it is a note.
    """
    owners = {name: member for member in reversed(subject.members) for name in member.effects.modules}
    for each in find_mistakes(subject):
        owner = owners.get(each.name)
        concerned = [each.member, *([owner] if owner and owner is not each.member else [])]
        where = f"{subject.shorten(each.file)}:{each.line}"
        gets, own = subject.shorten(each.actual), subject.shorten(each.own)
        may = "" if each.is_certain else "may mean the one beside it: it "
        yield mistaken_imports.found(
            *concerned,
            message=f'{where} imports "{each.name}" and {may}gets {gets}, not {own}',
            cure=_cure(subject, each),
            severity="error" if each.is_certain else "note",
            consequence="" if each.is_certain else "If so, it runs with other code than its own.",
        )


def _cure(subject: Subject, mistake: Mistake) -> str:
    """Return what to do: in a process of its own, what it has in its pythonpath comes before all but Python's own."""
    rename = "Rename one of them, and update its imports"
    if is_foreign(str(mistake.actual)):
        return f"{rename}."
    first = f'pythonpath = ["{subject.shorten(folder_of(mistake.own))}"]'
    if subject.config.group and subject.is_alone(mistake.member):
        return f"{rename}, or write {first} under {subject.table()}."
    return f"{rename}, or write {subject.own_process(mistake.member, first)}."


def find_mistakes(subject: Subject) -> list[Mistake]:
    """Find the imports that get another module than the one beside the importing file, one for each name and mount."""
    first, own = [folder.resolve() for folder in subject.config.pythonpath], subject.own_folders
    found: dict[tuple[str, str], Mistake] = {}
    confused: dict[Path, Mapping[str, tuple[Path, Path]]] = {}
    for member in subject.members:
        for module in own_modules(member):
            if module.root not in confused:
                on_purpose = own if module.root not in own else set()
                confused[module.root] = {
                    name: both
                    for name, both in _confused(module.root, is_first=module.root in first)
                    if folder_of(both[1]) not in on_purpose
                }
            for mistake in _mistakes_in(member, module, confused[module.root]):
                found.setdefault((member.mount.name, mistake.name), mistake)
    return list(found.values())


def _confused(root: Path, *, is_first: bool) -> Iterator[tuple[str, tuple[Path, Path]]]:
    """Return the names of a folder that stand for another module in this process: that of the folder, and the other."""
    for name, own in modules_in(root).items():
        actual = _actual(name)
        if actual is None or folder_of(actual) == root:
            continue
        # Alone, a folder that was put first hides installed packages, unless it has no __init__.py.
        if not is_foreign(str(actual)) or (is_first and own.is_file()):
            yield name, (own, actual)


def modules_in(folder: Path) -> dict[str, Path]:
    """Return the modules of a folder: files, packages by their __init__.py, and folders with Python files alone."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return {}
    found = {each.stem: each for each in entries if each.suffix == ".py" and each.stem.isidentifier()}
    for each in entries:
        if each.name.isidentifier() and each.is_dir() and each.name not in _NOT_IMPORTED:
            if (each / "__init__.py").is_file():
                found[each.name] = each / "__init__.py"
            elif each.name not in found and any(each.glob("*.py")):
                found[each.name] = each
    return {name: path for name, path in found.items() if name not in (*_NOT_IMPORTED, "__init__")}


def _actual(name: str) -> Path | None:
    """Return the file, or the folder without an __init__.py, that a name stands for in this process."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None) if module else PathFinder.find_spec(name)
    file = getattr(module, "__file__", None) or (spec.origin if spec and spec.has_location else None)
    if file:
        return Path(file).resolve()
    folders = list((spec and spec.submodule_search_locations) or ())
    return Path(folders[0]).resolve() if folders else None


def folder_of(path: Path) -> Path:
    """Return the folder that a module or a package is in."""
    return path.parent.parent if path.name == "__init__.py" else path.parent


def _mistakes_in(
    member: CheckedMount, module: OwnModule, confused: Mapping[str, tuple[Path, Path]]
) -> Iterator[Mistake]:
    tree = read_source(module.file, *confused) if confused else None
    for name, line, may_fail in _imports(tree) if tree else ():
        own, actual = confused.get(name, (module.file, module.file))
        if module.file not in (own, actual):
            is_certain = not may_fail and not is_foreign(str(actual))
            yield Mistake(member, module.file, line, name, own, actual, is_certain)


def _imports(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """Return the first part of each name that is imported, the line, and whether the import may fail."""
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, may_fail = pending.pop()
        if isinstance(node, ast.Import):
            yield from ((each.name.partition(".")[0], node.lineno, may_fail) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno, may_fail
        inner: list[ast.AST] = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            inner = list(node.orelse)
        pending.extend((each, may_fail or isinstance(node, ast.Try)) for each in reversed(inner))


@check(
    "MS113",
    "warning",
    "a module hides one of Python or of an installed package",
    consequence="Every application and every library that imports the name gets this file.",
)
def hiding_modules(subject: Subject) -> Iterator[Finding]:
    """The folders of pythonpath come before Python's own modules and installed packages.

    A file called token.py or redis.py in one of them is what every import of that name gets, in all applications and in
    libraries. If nothing has imported it yet, or an installed package has the name, the finding is a note.
    """
    for folder in dict.fromkeys(each.resolve() for each in subject.config.pythonpath):
        for name, file in modules_in(folder).items():
            if not file.is_file() or _actual(name) != file:
                continue
            if name in sys.stdlib_module_names:
                what, is_known = "a module of Python", name in sys.modules
            elif _is_installed_as_well(name, file):
                what, is_known = "an installed package", False
            else:
                continue
            yield hiding_modules.found(
                message=f"{subject.shorten(file)} {'hides' if is_known else 'may hide'} {what}",
                cure=f'Rename "{name}", and update its imports.',
                key=subject.pythonpath_key(folder),
                severity="warning" if is_known else "note",
            )


def _is_installed_as_well(name: str, file: Path) -> bool:
    """Return whether another project has installed a module of that name."""
    spec = PathFinder.find_spec(name, [*site.getsitepackages(), site.getusersitepackages()])
    if spec is None or not spec.has_location or not spec.origin or Path(spec.origin).resolve() == file:
        return False
    installed = Path(spec.origin)
    if file.name == installed.name == "__init__.py":
        names = [{each.stem for each in path.parent.glob("*.py")} for path in (file, installed)]
        return len(names[0] & names[1]) < _SHARED  # __init__ alone: else it is this project, which is installed, too
    return file.read_bytes() != installed.read_bytes()


CHECKS = (mistaken_imports, hiding_modules)
