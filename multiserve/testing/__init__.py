"""For tests of a composition: a client that sends requests to it in this process, and an assertion that it is right.

Nothing here needs pytest; the fixtures of `pytest_plugin` are made of it (docs/testing.md). These names are public.
"""

from multiserve.testing.calls import Response
from multiserve.testing.client import Client
from multiserve.testing.findings import assert_no_findings

__all__ = ["Client", "Response", "assert_no_findings"]
