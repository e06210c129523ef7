"""What a plugin imports: how a check is made, what it looks at, and how the reader of a framework describes one.

A plugin is a module that the file names under `plugins`. It has a list `CHECKS`, a list `FRAMEWORKS`, or both
(docs/plugins.md). These names are public; where they come from is not.
"""

from multiserve.checks.findings import Check, Found, check
from multiserve.checks.subject import Member, Subject
from multiserve.findings import Finding, Severity
from multiserve.frameworks import Framework
from multiserve.frameworks.facts import (
    NOT_FOUND,
    AllowedHosts,
    Answer,
    Cookie,
    Facts,
    InnerRoute,
    Inside,
    Onward,
    Request,
    Secret,
    Setting,
)

__all__ = [
    "NOT_FOUND",
    "AllowedHosts",
    "Answer",
    "Check",
    "Cookie",
    "Facts",
    "Finding",
    "Found",
    "Framework",
    "InnerRoute",
    "Inside",
    "Member",
    "Onward",
    "Request",
    "Secret",
    "Setting",
    "Severity",
    "Subject",
    "check",
]
