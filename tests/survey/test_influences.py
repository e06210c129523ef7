"""What the mounts of one process change in each other, as findings."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.inspection import inspect

pytestmark = pytest.mark.usefixtures("clean_process")

ANSWER = """

def app(environ, start_response):
    if owned.owner not in (__name__, "{accepts}"):
        raise RuntimeError(f"owned by {owned.owner}")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""
MODULES = {
    "owned": "owner = ''\n",
    "first": "import owned\n\nowned.owner = __name__\n" + ANSWER,
    "second": "import owned\n\nowned.owner = __name__\n" + ANSWER,
    "third": "import owned\n\nassert not owned.owner, 'it is taken'\n" + ANSWER.replace("{accepts}", ""),
}


@pytest.fixture
def found(tmp_path, write_config):
    """Return the findings about the modules at their names."""

    def found(group=""):
        for name, text in MODULES.items():
            (tmp_path / f"{name}.py").write_text(text)
        entry = '"/{0}" = {{ app = "{0}:app"{1} }}'
        of_group = f', group = "{group}"' if group else ""
        lines = [entry.format(name, of_group) for name in MODULES if name != "owned"]
        path = write_config("\n".join(["[mounts]", *lines, *([f"[groups.{group}]"] if group else [])]))
        inspection = inspect(load_config(path), alone=True)
        assert [each.mount for each in inspection.probes or ()] == ["/first", "/second", "/third"]
        return {each.code: each for each in inspection.findings if each.code.startswith("MS2")}, tmp_path

    return found


@pytest.mark.parametrize("group", ["", "all"])
def test_a_failure_names_the_mount_that_causes_it(found, group):
    findings, folder = found(group)
    assert sorted(findings) == ["MS207", "MS209"]
    failure, load = findings["MS207"], findings["MS209"]
    assert (failure.severity, failure.mounts, failure.url) == (
        "error", ("/first", "/second"), "http://localhost:8000/first/",
    )  # fmt: skip
    error = f"RuntimeError: owned by second ({folder / 'first.py'}:8, in app)"
    assert failure.message == f"{error} because of /second; alone it answers 200"
    cure = 'Run it in a process of its own: group = "first" on the mount and a table [groups.first].'
    assert failure.cure == cure
    assert (load.severity, load.mounts, load.key, load.url) == ("error", ("/third", "/first"), 'mounts."/third"', "")
    assert load.message.startswith('it cannot be loaded (importing "third" failed: AssertionError: it is taken')
    assert load.message.endswith(" because of /first; alone it can")
    assert load.cure == cure.replace("first", "third")
    assert load.consequence == "Requests to this mount are answered with 503."
