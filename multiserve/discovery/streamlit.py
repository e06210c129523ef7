"""Scripts of Streamlit, which only Streamlit's own server can run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.found import Remark
from multiserve.discovery.project import Project
from multiserve.python_source.source import PythonSource

_REASON = (
    "A script that runs in Streamlit's own server. Start it beside multiserve, and let the proxy in front "
    "send it its prefix: streamlit run {file} --server.baseUrlPath {name}"
)


def find(project: Project) -> Iterator[Remark]:
    """Find the scripts that call Streamlit at module level; the pages of another one are part of that."""
    scripts = [source for source in project.sources if _is_script(source)]
    folders = {source.path.parent for source in scripts}
    for source in scripts:
        if source.path.parent.name == "pages" and source.path.parent.parent in folders:
            continue
        file = source.path.relative_to(project.folder).as_posix()
        yield Remark(f"Streamlit, {file}", _REASON.format(file=file, name=source.path.stem))


def _is_script(source: PythonSource) -> bool:
    calls = (node for statement in source.tree.body for node in ast.walk(statement) if isinstance(node, ast.Call))
    return any(source.dotted(call.func).startswith("streamlit.") for call in calls)
