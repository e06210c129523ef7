"""What multiserve exports of an example."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from pieces import ROOT


def export(form: str, example: str, folder: Path, *options: str) -> Path:
    """Export an example as a user does, and return the folder with the files."""
    file = ROOT / "examples" / example / "multiserve.toml"
    command = (sys.executable, "-m", "multiserve", "export", form, "-c", str(file), "-o", str(folder), *options)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def read_objects(folder: Path) -> list[dict[str, Any]]:
    """Return the objects of all files of a folder, but for the kustomization, which only names these files."""
    documents = [
        each for path in sorted(folder.rglob("*.yaml")) for each in yaml.safe_load_all(path.read_text("utf-8"))
    ]
    return [each for each in documents if each and each["kind"] != "Kustomization"]


def outside(objects: list[dict[str, Any]], port: int) -> dict[str, Any]:
    """Return a service that lets the front be asked at a port of the node."""
    (front,) = (each for each in objects if each["kind"] == "Service" and each["metadata"]["name"].endswith("front"))
    inner = front["spec"]["ports"][0]
    spec = {"type": "NodePort", "selector": front["spec"]["selector"], "ports": [{**inner, "nodePort": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"outside-{port}"}, "spec": spec}
