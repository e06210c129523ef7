import json
import sys
import threading

import pytest

from multiserve.errors import ServeError
from multiserve.servers.management import findings as module
from multiserve.servers.management.findings import Findings

FOUND = {"code": "MS101", "severity": "warning", "mounts": ["/"], "key": "mounts", "message": "why", "cure": "what"}
PROBLEM = {"key": "server", "message": "wrong", "hint": "so"}


def printing(text, code=1):
    return [sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})"]


def test_problems_and_findings_are_kept():
    findings = Findings()
    mounts = [{"problems": []}, {"problems": [{"key": "mounts", "message": "broken", "hint": "mend it"}]}]
    document = {"problems": [PROBLEM], "mounts": mounts, "findings": [FOUND]}
    assert findings.check(printing(json.dumps(document)), {}) == "check has found 3."
    assert findings.last["message"] == "check has found 3."
    assert findings.last["findings"] == [
        {"code": "", "severity": "error", "key": "server", "message": "wrong", "cure": "so"},
        {"code": "", "severity": "error", "key": "mounts", "message": "broken", "cure": "mend it"},
        {"code": "MS101", "severity": "warning", "key": "mounts", "message": "why", "cure": "what"},
    ]
    assert findings.check(printing('{"problems": [], "findings": []}'), {}) == "check has found nothing."


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"problems": [], "findings": [5]}', "x" * 1024**2])
def test_something_else_is_no_answer(text):
    findings = Findings()
    with pytest.raises(ServeError) as raised:
        findings.check(printing(text) if len(text) < 99 else [sys.executable, "-c", "print('1' * 2 ** 21)"], {})
    assert (str(raised.value), findings.last) == ("check could not say what it has found: run multiserve check", None)


def test_it_is_ended_after_a_while(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_LONGEST", 0.1)
    monkeypatch.setattr(module, "_WRAPPER", ())  # which would leave it behind
    with pytest.raises(ServeError) as raised:
        Findings().check([sys.executable, "-c", "import signal; signal.pause()"], {})
    assert str(raised.value) == "check has not ended after 0 seconds"


def test_one_runs_at_a_time(tmp_path):
    findings, gate = Findings(), tmp_path / "gate"
    started = tmp_path / "started"
    waits = f"import os\nopen({str(started)!r}, 'w')\nwhile not os.path.exists({str(gate)!r}): pass\n"
    ends = 'print(\'{"problems": [], "findings": []}\')'
    first = threading.Thread(target=findings.check, args=([sys.executable, "-c", waits + ends], {}))
    first.start()
    while not started.exists():
        pass
    with pytest.raises(ServeError) as raised:
        findings.check(printing(""), {})
    gate.touch()
    first.join()
    assert (str(raised.value), findings.last["message"]) == ("check runs already", "check has found nothing.")
