"""What is written is read again as the same, also by a reader of YAML 1.1."""

from __future__ import annotations

import pytest

from multiserve.export.yaml import dump, dump_all

yaml = pytest.importorskip("yaml")

VALUES = [
    pytest.param({"a": 1, "b": "1", "c": True, "d": "true", "e": None, "f": "null"}, id="what looks like another kind"),
    pytest.param(
        {"a": "yes", "no": "on", "y": "Off", "n": "~", "1": "1e3", "d": "2026-11-28", "t": "12:30:45"}, id="1.1"
    ),
    pytest.param({"a": [], "b": {}, "c": [{}, [], {"d": []}, ["x", ["y"]]]}, id="empty ones"),
    pytest.param({"a": [{"b": 1, "c": [{"d": 2}, "e"]}, {"b": {"c": "d"}}]}, id="deep"),
    pytest.param({"a": 'one\n  two\n\nthree: "#"\n', "b": {"c": "x\n"}}, id="blocks"),
    pytest.param({"a": "\n", "b": " x\ny\n", "c": "x\n\n", "d": "x\ny", "e": "é\n", "f": "\tx\n"}, id="no blocks"),
    pytest.param(
        {"a b": "#", ": ": "- x", "*": "&x", "!": "%", "@": "`", "": "", "'": '"', "é": "\x00\x85\u2028😀"}, id="marks"
    ),
    pytest.param(
        {"a": "shop:1", "b": "unix:/run/x.sock", "c": "x: y", "d": "x #y", "e": "/", "f": "-", "g": "a:"}, id="colons"
    ),
]


@pytest.mark.parametrize("value", VALUES)
def test_it_is_read_again_as_it_was(value):
    assert yaml.safe_load(dump(value)) == value


def test_it_reads_well():
    value = {
        "kind": "Pod",
        "spec": {"command": ["sh", "-c", "a; b"], "ports": [{"name": "http", "port": 80}]},
        "text": "a\nb\n",
    }
    assert dump(value) == (
        'kind: Pod\nspec:\n  command:\n    - sh\n    - "-c"\n    - "a; b"\n'
        "  ports:\n    - name: http\n      port: 80\ntext: |\n  a\n  b\n"
    )


def test_several_documents_are_apart():
    assert list(yaml.safe_load_all(dump_all([{"a": 1}, {"b": 2}]))) == [{"a": 1}, {"b": 2}]
