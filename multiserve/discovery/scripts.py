"""Scripts of Streamlit, Shiny Express and Panel; a process can run one of Streamlit."""

from __future__ import annotations

from collections.abc import Iterator

from multiserve.discovery.found import Found, Remark
from multiserve.discovery.project import Project
from multiserve.python_source.scripts import kind_of_script

_REASON = "A process can run one script of Streamlit. Make it a page of the other one, in a folder called pages."
_USUAL = frozenset({"application", "app", "create_app", "make_app"})  # whatever has one of these is no script


def find(project: Project) -> Iterator[Found | Remark]:
    """Find the scripts; the pages of another one of Streamlit are part of that."""
    kinds = {source: kind for source in project.sources if (kind := kind_of_script(source))}
    folders = {source.path.parent for source, kind in kinds.items() if kind == "Streamlit"}
    has_streamlit = False
    for source, kind in kinds.items():
        file = project.file(source)
        if kind != "Streamlit":
            if not _USUAL & source.module_bindings().keys():
                yield Found(kind, {"app": file}, file, (source.path.stem,), file=file)
            continue
        if source.path.parent.name == "pages" and source.path.parent.parent in folders:
            continue
        if has_streamlit:
            yield Remark(f"Streamlit, {file}", _REASON, file)
        else:
            yield Found("Streamlit", {"app": file}, file, (source.path.stem,), file=file)
        has_streamlit = True
