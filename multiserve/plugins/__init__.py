"""What a plugin imports: how a check is made, what it looks at, and how the reader of a framework describes one.

A plugin is a module that the file names under `plugins`. It has a list `CHECKS`, a list `FRAMEWORKS`, or both
(docs/plugins.md). These names are public; where they come from is not.
"""

from multiserve.checks.check import Check, check
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding, Severity
from multiserve.frameworks import Framework
from multiserve.frameworks.facts import (
    NOT_FOUND,
    AllowedHosts,
    Cookie,
    Facts,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    Inside,
    Onward,
    Secret,
    Setting,
)

__all__ = [
    "NOT_FOUND",
    "AllowedHosts",
    "Check",
    "CheckedMount",
    "Cookie",
    "Facts",
    "Finding",
    "Framework",
    "InnerAnswer",
    "InnerRequest",
    "InnerRoute",
    "Inside",
    "Onward",
    "Secret",
    "Setting",
    "Severity",
    "Subject",
    "check",
]
