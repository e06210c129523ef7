"""The page as HTML. All texts are escaped, and it loads nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from multiserve.dispatch.pages import source_of
from multiserve.servers.page.assets import SCRIPT, STYLE
from multiserve.servers.page.overview import MountJson, OverviewJson, TrafficJson
from multiserve.servers.page.plots import plot

_HEAD = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
)


POLICY = (
    f"default-src 'none'; style-src {source_of(STYLE)}; script-src {source_of(SCRIPT)}; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy: what the page itself brings, and nothing besides."""


def render(shown: OverviewJson, form_token: str = "", *, login: bool = True) -> str:
    """Return the page.

    Args:
        shown: What it shows.
        form_token: What each of its forms sends along; without it there are none but the one to log in.
        login: Whether one can log in at all.
    """
    parts = [
        _HEAD,
        f"<title>multiserve: {escape(shown['state'])}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        '<main id="live">',
        *_parts(shown, form_token),
        "</main>",
        *([_LOGIN] if login and not shown["is_owner"] else []),
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


_LOGIN = (
    '<form id="login" method="post" action="login"><p><label>To change anything, and to read tracebacks, open what '
    "<code>multiserve status --page</code> prints, or write its token here: "
    '<input type="password" name="token" autocomplete="off" required></label> <button>Log in</button></p></form>'
)


def _parts(shown: OverviewJson, token: str) -> Iterator[str]:
    yield f"<h1>multiserve <small>{_state(shown['state'])} {_since(shown)}</small></h1>"
    if shown["message"]:
        yield f'<p class="message" role="status">{escape(shown["message"])}</p>'
    yield from _reload(shown, token)
    yield "<h2>Mounts</h2>"
    yield from _mounts(shown, token)
    if shown["groups"]:
        yield "<h2>Groups</h2>"
        yield from _groups(shown, token)
    if shown["is_owner"]:
        yield from _tracebacks(shown)
        yield from _findings(shown, token)


def _reload(shown: OverviewJson, token: str) -> Iterator[str]:
    yield _button(token, "Reload", action="reload")
    if last := shown["last_reload"]:
        outcome = f"Reloaded at {_time(last['time'])}."
        if last["refused"]:
            outcome = f"The reload at {_time(last['time'])} was refused; the server serves what it served before."
        yield f'<p class="{"failed" if last["refused"] else ""}">{outcome}</p>'
        if last["reason"]:
            yield f"<pre>{escape(last['reason'])}</pre>"


def _mounts(shown: OverviewJson, token: str) -> Iterator[str]:
    has_traffic = any(mount["traffic"] for mount in shown["mounts"])
    minutes = f"{shown['interval'] * _points(shown) / 60:.0f} minutes"
    columns = ["Mount", "State", "Target", "Group"]
    if has_traffic:
        columns += [f"Requests, {minutes}", "Errors (5xx)", "Median", "99 %"]
    columns += [""] if token else []
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f"<th>{escape(each)}</th>" for each in columns)
    yield "</tr></thead><tbody>"
    for mount in shown["mounts"]:
        cells = [_name(mount), _state(mount["state"]), f"<code>{escape(mount['target'])}</code>"]
        cells += [escape(mount["group"]), *(_traffic(mount["traffic"]) if mount["traffic"] else ())]
        cells += [_maintenance(mount, token)] if token else []
        yield f'<tr data-mount="{escape(mount["mount"])}">{"".join(f"<td>{each}</td>" for each in cells)}</tr>'
        if mount["reason"] and mount["state"] != "maintenance":
            yield f'<tr class="reason"><td colspan="{len(columns)}"><pre>{escape(mount["reason"])}</pre></td></tr>'
    yield "</tbody></table></div>"


def _points(shown: OverviewJson) -> int:
    return next((len(each["traffic"]["requests_each"]) for each in shown["mounts"] if each["traffic"]), 0)


def _name(mount: MountJson) -> str:
    name = f"<code>{escape(mount['mount'])}</code>"
    return f'<a href="{escape(mount["url"])}" rel="noreferrer">{name}</a>' if mount["url"] else name


def _traffic(traffic: TrafficJson) -> list[str]:
    return [
        f"{traffic['requests']}<br>{plot(traffic['requests_each'], 'requests')}",
        f"{traffic['errors']}<br>{plot(traffic['errors_each'], 'errors', 'failed')}",
        f"{_duration(traffic['median'])}<br>{plot(_drawn(traffic['median_each']), 'median')}",
        f"{_duration(traffic['p99'])}<br>{plot(_drawn(traffic['p99_each']), '99 %')}",
    ]


def _drawn(values: list[float | None]) -> list[float | None]:
    """Return values with a place for those above the last bound."""
    highest = max((value for value in values if value), default=10.0)
    return [2 * max(highest, 10.0) if value == -1 else value for value in values]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds == -1:
        return "over 10 s"
    return f"≤ {seconds * 1000:g} ms" if seconds < 1 else f"≤ {seconds:g} s"


def _maintenance(mount: MountJson, token: str) -> str:
    is_on = mount["state"] == "maintenance"
    label = "End maintenance" if is_on else "Maintenance"
    return _button(token, label, action="maintenance", name=mount["mount"], state="off" if is_on else "on")


def _groups(shown: OverviewJson, token: str) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr><th>Group</th><th>State</th><th>Process</th><th>Workers</th>'
    yield f"<th>Restarts</th>{'<th></th>' if token else ''}</tr></thead><tbody>"
    for group in shown["groups"]:
        process = str(group["process"]["pid"]) if group.get("process") else "-"
        cells = [f"<code>{escape(group['name'])}</code>", _state(group["state"]), process]
        cells += [str(len(group.get("workers", ()))), str(group.get("restarts", 0))]
        if token:
            again = _button(token, "Reload", action="reload", name=group["name"])
            cells.append(again + _button(token, "Restart", action="restart", name=group["name"]))
        yield f'<tr data-group="{escape(group["name"])}">{"".join(f"<td>{each}</td>" for each in cells)}</tr>'
        if failure := group.get("last_failure"):
            yield f'<tr class="reason"><td colspan="{len(cells)}"><pre>{escape(failure)}</pre></td></tr>'
    yield "</tbody></table></div>"


def _tracebacks(shown: OverviewJson) -> Iterator[str]:
    yield "<h2>Last tracebacks</h2>"
    if not shown["tracebacks"]:
        yield "<p>None was logged.</p>"
    for each in reversed(shown["tracebacks"]):
        where = " ".join(filter(None, [each["mount"], each["group"] and f"(group {each['group']})"]))
        summary = f"{_time(each['time'])} <code>{escape(where)}</code> {escape(each['message'])}"
        key = f"{each['pid']}-{each['time']}"
        yield f'<details id="traceback-{escape(key)}"><summary>{summary}</summary>'
        yield f"<pre>{escape(each['text'])}</pre></details>"


def _findings(shown: OverviewJson, token: str) -> Iterator[str]:
    yield "<h2>Findings of check</h2>"
    yield _button(token, "Check the file", action="check")
    found = shown["findings"]
    if found is None:
        return
    yield f"<p>{escape(found['message'])}</p>"
    yield "<ul>"
    for each in found["findings"]:
        yield f"<li>{_finding(each)}</li>"
    yield "</ul>"


def _finding(finding: Mapping[str, Any]) -> str:
    code, severity, key, message, cure = (
        escape(str(finding.get(name) or "")) for name in ("code", "severity", "key", "message", "cure")
    )
    return f"<code>{code}</code> {severity} <code>{key}</code>: {message}{cure and f'<br>{cure}'}"


def _button(token: str, label: str, **fields: str) -> str:
    """Return a form that is one button; nothing without a token."""
    if not token:
        return ""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {"token": token, **fields}.items()
    )
    return f'<form method="post" action="act">{hidden}<button>{escape(label)}</button></form>'


def _state(state: str) -> str:
    return f'<span class="state {escape(state)}">{escape(state)}</span>'


def _since(shown: OverviewJson) -> str:
    if shown["since"] is None:
        return ""
    workers = shown["workers"]
    return f"since {_time(shown['since'])}, {workers} worker{'' if workers == 1 else 's'}"


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'
