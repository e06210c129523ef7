"""Which commands print JSON, and the type of what each of them prints."""

from __future__ import annotations

from typing import Any

from multiserve.reports.arrival import ArrivalJson
from multiserve.reports.check import CheckJson
from multiserve.reports.inside import ContentsJson
from multiserve.reports.json_schema import schema_of
from multiserve.reports.plan import PlanJson
from multiserve.reports.routes import MountsJson
from multiserve.reports.settings import SettingsJson
from multiserve.reports.status import StatusJson

_DOCUMENTS: dict[str, tuple[str, type]] = {
    "check": ("multiserve check --format json", CheckJson),
    "routes": ("multiserve routes --format json", MountsJson),
    "routes-all": ("multiserve routes --all --format json", ContentsJson),
    "explain": ("multiserve routes --explain URL --format json, with or without --all", ArrivalJson),
    "status": ("multiserve status --format json", StatusJson),
    "plan": ("multiserve reload --plan --format json", PlanJson),
    "config": ("multiserve config --format json", SettingsJson),
}
NAMES = tuple(_DOCUMENTS)


def output_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of what a command prints; `name` is one of NAMES."""
    title, kind = _DOCUMENTS[name]
    return schema_of(kind, title)
