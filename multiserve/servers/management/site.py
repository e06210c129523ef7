"""The page at the management listener: what it shows, and what its buttons do."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

from multiserve.errors import MultiserveError
from multiserve.servers.management.access import Access
from multiserve.servers.management.exchange import HTML, JSON, Page, Request, Response
from multiserve.servers.management.findings import Findings
from multiserve.servers.management.health import state_of
from multiserve.servers.management.state import State
from multiserve.servers.page.html import POLICY, render
from multiserve.servers.page.overview import OverviewJson, describe_mount, overview
from multiserve.servers.page.samples import Samples

_SECURE = (
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "same-origin"),  # without any, a browser would not say where a form comes from
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class Site:
    """The page.

    Attributes:
        access: Who may change something.
        ask: Ask the main loop for something, and wait for the answer; None where it cannot be asked.
        check: Run check, and return what to say of it; None where that cannot be.
        findings: What check has found.
    """

    def __init__(self, state: State, samples: Samples) -> None:
        """Show a server."""
        self._state = state
        self._samples = samples
        self._message = ""  # what became of the last action
        self.access = Access()
        self.ask: Callable[..., Any] | None = None
        self.check: Callable[[], str] | None = None
        self.findings = Findings()

    @property
    def pages(self) -> dict[str, Page]:
        """What answers, by path."""
        return {
            "/": self._show,
            "/status.json": partial(self._show, as_json=True),
            "POST /login": self._log_in,
            "POST /act": self._act,
        }

    def _show(self, request: Request, *, as_json: bool = False) -> Response:
        is_owner = self.access.is_owner(request)
        shown = self._overview(is_owner=is_owner)
        if as_json or request.wants_json:
            return Response(body=f"{json.dumps(shown, indent=2)}\n", content_type=JSON, headers=_SECURE)
        token = self.access.form_token if is_owner and self.ask else ""
        return Response(body=render(shown, token, login=self.ask is not None), content_type=HTML, headers=_SECURE)

    def _overview(self, *, is_owner: bool) -> OverviewJson:
        state = self._state
        mounts = [
            describe_mount(
                {**mount, "state": state_of(mount, state)},
                state.urls.get(mount["mount"], ""),
                self._samples,
                is_owner=is_owner,
            )
            for mount in state.status.get("mounts", ())
        ]
        doing = "stopping" if state.is_stopping else "serving" if state.is_serving else "starting"
        shown = overview(state.status, mounts, doing, message=self._message if is_owner else "", is_owner=is_owner)
        if is_owner:
            shown["tracebacks"] = list(state.tracebacks.last)
            shown["findings"] = self.findings.last
        if last := state.last_reload:
            shown["last_reload"] = {**last, "reason": last["reason"] if is_owner else ""}
        return shown

    def _log_in(self, request: Request) -> Response:
        cookie = self.access.log_in(request)
        if cookie is None:
            return Response(status=403, body="Forbidden: this is not the token. Ask multiserve status --page.\n")
        return Response(status=303, headers=(("Location", "./"), cookie, *_SECURE))

    def _act(self, request: Request) -> Response:
        if self.ask is None or not self.access.may_change(request):
            return Response(status=403, body="Forbidden: this takes the token. Ask multiserve status --page.\n")
        try:
            self._message, is_done = self._do(request.form, self.ask), True
        except MultiserveError as error:
            self._message, is_done = str(error), False
        if request.wants_json:
            body = f"{json.dumps({'done': is_done, 'message': self._message})}\n"
            return Response(status=200 if is_done else 409, body=body, content_type=JSON)
        return Response(status=303, headers=(("Location", "./"), *_SECURE))

    def _do(self, form: Any, ask: Callable[..., Any]) -> str:
        """Do what a button says, and return what to say of it.

        Raises:
            MultiserveError: It is refused.
        """
        action, name, state = (form.get(each, "") for each in ("action", "name", "state"))
        if action == "reload" and not name:
            os.kill(os.getpid(), signal.SIGHUP)
            return "A reload was asked for."
        if action == "reload":
            ask("reload", name)
            return f"The group {name} has reloaded."
        if action == "restart":
            ask("restart", name)
            return f"The group {name} was restarted."
        if action == "check" and self.check:
            return self.check()
        if action == "maintenance" and state in ("on", "off"):
            ask("maintenance", name, state, "")
            return f"{name} is in maintenance." if state == "on" else f"{name} is served."
        raise MultiserveError("there is no such action")
