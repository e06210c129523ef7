"""Scripts of Streamlit, of which a process can run one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.found import Found, Remark
from multiserve.discovery.project import Project
from multiserve.python_source.source import PythonSource

_REASON = "A process can run one script of Streamlit. Make it a page of the other one, in a folder called pages."


def find(project: Project) -> Iterator[Found | Remark]:
    """Find the scripts that call Streamlit at module level; the pages of another one are part of that."""
    scripts = [source for source in project.sources if _is_script(source)]
    folders = {source.path.parent for source in scripts}
    pages = {each for each in scripts if each.path.parent.name == "pages" and each.path.parent.parent in folders}
    for number, source in enumerate(each for each in scripts if each not in pages):
        file = project.file(source)
        if number:
            yield Remark(f"Streamlit, {file}", _REASON, file)
        else:
            yield Found("Streamlit", {"app": file}, file, (source.path.stem,), file=file)


def _is_script(source: PythonSource) -> bool:
    calls = (node for statement in source.tree.body for node in ast.walk(statement) if isinstance(node, ast.Call))
    return any(source.dotted(call.func).startswith("streamlit.") for call in calls)
