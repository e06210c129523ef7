"""What probing finds: a result for each request, and what in its response leaves the mount."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["location", "cookie", "link", "asset", "form"]

REDIRECT, FORM, LINK, ASSET, COOKIE, PROTOCOL, FAILURE, REFUSAL = (f"MS20{number}" for number in range(1, 9))
_CODES: dict[Kind, str] = {"location": REDIRECT, "form": FORM, "link": LINK, "asset": ASSET, "cookie": COOKIE}


class Remark(NamedTuple):
    """One thing that is wrong with a response, or may be.

    Attributes:
        code: Stable; what `ignore` names.
        severity: An `error` is broken, a `warning` is a mistake on this origin, a `note` may be one.
        message: What is so.
        cure: What to do about it; "" where only the application knows.
    """

    code: str
    severity: Literal["error", "warning", "note"]
    message: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escape:
    """A URL, or the path of a cookie, that leaves the mount whose response has it.

    Attributes:
        kind: What has it: the Location of a redirect, a cookie, or what part of a page.
        url: As the response spells it; the path of a cookie.
        page: The URL of the response.
        severity: A `warning` where it is a mistake on this origin, a `note` where it may be one.
        message: What is so.
        cure: What to do about it.
    """

    kind: Kind
    url: str
    page: str
    severity: Literal["warning", "note"]
    message: str
    cure: str

    @property
    def code(self) -> str:
        """What `ignore` names."""
        return _CODES[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """One request to a mount and what came of it.

    Attributes:
        mount: The mount, as its key spells it.
        toml_key: The key path of its entry, as TOML spells it.
        url: The whole URL.
        method: `GET`, as long as nothing else is probed.
        asked_for: The path is one of the mount's `probe`, or such a one redirects to it.
        status: None if there was no response.
        seconds: Until the response was complete.
        content_type: That of the response; "" for none.
        error: What the application raised, with its last frame, or why there is no whole response.
        skipped: Why nothing was sent; "" if something was.
        violations: What the validator of WSGI or ASGI objected to.
        escapes: What leaves the mount.
        ignored: The codes that do not count here.
    """

    mount: str
    toml_key: str
    url: str
    method: str = "GET"
    asked_for: bool = False
    status: int | None = None
    seconds: float = 0.0
    content_type: str = ""
    error: str = ""
    skipped: str = ""
    violations: tuple[str, ...] = ()
    escapes: tuple[Escape, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def remarks(self) -> list[Remark]:
        """What is wrong, except for what is ignored."""
        return [remark for remark in self._find_remarks() if remark.code not in self.ignored]

    @property
    def is_broken(self) -> bool:
        """Whether the application failed, or broke its own protocol; what it refuses is its own affair."""
        return any(remark.severity == "error" for remark in self.remarks)

    def _find_remarks(self) -> Iterator[Remark]:
        status = self.status or 0
        if self.error:
            yield Remark(FAILURE, "error", " ".join(self.error.split()))
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            yield Remark(FAILURE, "error", f"it answers {status}")
        elif status >= HTTPStatus.BAD_REQUEST and self.asked_for:
            cure = "Correct the path in `probe`, or what answers it."
            yield Remark(REFUSAL, "warning", f"it is asked for by `probe`, and answers {status}", cure)
        for violation in self.violations:
            yield Remark(PROTOCOL, "error", violation)
        for escape in self.escapes:
            yield Remark(escape.code, escape.severity, escape.message, escape.cure)
