from __future__ import annotations

from typing import Any

import pytest

from multiserve.kinds import KINDS
from multiserve.kinds.kind import Kind


@pytest.mark.parametrize("method", ["load", "may_have_lifespan", "answer_wsgi", "answer_asgi"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: type(kind).__name__)
def test_every_kind_says_how_it_is_loaded_and_what_answers(kind: Kind[Any], method: str) -> None:
    assert getattr(type(kind), method) is not getattr(Kind, method)
