"""Checks of settings that do not fit the mount: prefixes, absolute URLs and allowed hosts."""

from __future__ import annotations

from collections.abc import Iterator

from multiserve.checks.check import Check, check
from multiserve.checks.setting_edits import edit_of_setting
from multiserve.checks.subject import CheckedMount, Subject, host_of
from multiserve.config.mounts import StaticMount
from multiserve.findings import Edit, Finding, Severity
from multiserve.frameworks import AllowedHosts, Setting


@check(
    "MS130",
    "warning",
    "APPLICATION_ROOT is not the prefix",
    consequence="Its cookies are sent to other paths.",
    scope="origin",
)
def application_root(subject: Subject) -> Iterator[Finding]:
    """Flask uses APPLICATION_ROOT as the path of its session cookie, and in URLs that are built outside of requests.

    During requests Flask learns the prefix of the mount from the server, so the setting is needed for nothing else.
    """
    for member, setting in _settings(subject, "APPLICATION_ROOT"):
        if setting.value.rstrip("/") != member.prefix:
            places = sum(each.identity == member.identity for each in subject.members)
            cure = "Remove APPLICATION_ROOT: the application is mounted more than once."
            edit = None
            if places == 1:
                cure = f'Set APPLICATION_ROOT = "{member.prefix or "/"}", or remove it.'
                edit = edit_of_setting(subject, member, setting.name, setting.value, member.prefix or "/")
            yield from _misfit(application_root, subject, member, setting, cure, edit)


@check(
    "MS131",
    "error",
    "FORCE_SCRIPT_NAME is not the prefix",
    consequence="Its URLs lead to the wrong place.",
    scope="origin",
)
def force_script_name(subject: Subject) -> Iterator[Finding]:
    """FORCE_SCRIPT_NAME replaces the prefix of the mount in every URL that Django builds."""
    for member, setting in _settings(subject, "FORCE_SCRIPT_NAME"):
        if setting.value.rstrip("/") != member.prefix:
            edit = edit_of_setting(subject, member, setting.name, setting.value, None)
            cure = "Remove FORCE_SCRIPT_NAME from the settings."
            yield from _misfit(force_script_name, subject, member, setting, cure, edit)


@check("MS132", "error", "root_path is not the prefix", consequence="Its routes answer 404.", scope="origin")
def root_path(subject: Subject) -> Iterator[Finding]:
    """The server passes the prefix of the mount to an ASGI application in root_path.

    A FastAPI application that is created with another root_path, even if only by a slash at the end, replaces the
    prefix with it and then finds none of its own routes.
    """
    for member, setting in _settings(subject, "root_path"):
        if setting.value != member.prefix:
            yield from _misfit(root_path, subject, member, setting, "Remove root_path from the application.")


def _settings(subject: Subject, name: str) -> Iterator[tuple[CheckedMount, Setting]]:
    for member in subject.readable:
        for setting in member.facts.own_prefix if member.facts else ():
            if setting.name == name:
                yield member, setting


def _misfit(
    topic: Check, subject: Subject, member: CheckedMount, setting: Setting, cure: str, edit: Edit | None = None
) -> Iterator[Finding]:
    """Report a prefix that differs from the mount's, unless a proxy in front may remove the rest of it."""
    message = f'it has {setting.name} = "{setting.value}", but is mounted at {member.mount.key}'
    fits_behind_proxy = setting.value.rstrip("/").endswith(member.prefix)
    if not fits_behind_proxy or (setting.name == "root_path" and member.prefix):
        yield topic.found(member, message=message, cure=cure, edit=edit)
    elif not subject.config.server.trusted_proxies:
        message = f"{message}: that can only be right behind a proxy"
        consequence = "Without such a proxy, its URLs and cookies have the wrong path."
        yield topic.found(member, message=message, cure=cure, severity="note", consequence=consequence)


@check("MS133", "error", "Dash does not know its prefix", consequence="The page stays blank.", scope="origin")
def dash_prefix(subject: Subject) -> Iterator[Finding]:
    """Dash cannot read its prefix from the request.

    Its scripts in the browser request data below requests_pathname_prefix, which has to begin with the prefix of the
    mount. A module that makes one Dash and names no prefix is told that of its mount. A factory can be called with the
    prefix: "dashboards:sales(prefix)". A Dash inside an application of Flask has both: the prefix of the mount and its
    own path.
    """
    for member in subject.readable:
        settings = dict(member.facts.own_prefix) if member.facts else {}
        asked = settings.get("requests_pathname_prefix")
        routed = settings.get("routes_pathname_prefix", "/")
        expected = member.prefix + routed
        is_behind_proxy = subject.config.server.trusted_proxies and asked and asked.endswith(expected)
        if asked is not None and asked != expected and not is_behind_proxy:
            path = routed if _has_routes_beside(member, routed) else "/"
            cure = f'Write Dash(requests_pathname_prefix="{member.prefix}{path}", routes_pathname_prefix="{path}").'
            message = f'it has requests_pathname_prefix = "{asked}" and routes_pathname_prefix = "{routed}"'
            yield dash_prefix.found(member, message=f"{message}, but is mounted at {member.mount.key}", cure=cure)


def _has_routes_beside(member: CheckedMount, path: str) -> bool:
    """Return whether the application that Dash is in has pages of its own, so that the path of Dash has to stay."""
    routes = member.facts.routes if member.facts else None
    return any(not route.path.startswith(path) and route.name != "static" for route in routes or ())


@check(
    "MS140",
    "warning",
    "absolute URLs leave the mount",
    consequence="Another mount answers them, or none.",
    scope="origin",
)
def absolute_urls(subject: Subject) -> Iterator[Finding]:
    """A URL in the settings that begins with a slash is sent to browsers unchanged, without the prefix of the mount.

    Django adds the prefix to STATIC_URL and MEDIA_URL only if they do not begin with a slash; Flask always adds it to
    static_url_path. URLs that another mount or a static folder answers are not reported.
    """
    for member in subject.readable:
        for setting in member.facts.absolute_urls if member.facts and member.prefix else ():
            if not _has_place(subject, member, setting.value):
                yield _escape(subject, member, setting)


def _has_place(subject: Subject, member: CheckedMount, url: str) -> bool:
    """Return whether a URL is inside the mount, or belongs to another mount of the file."""
    if f"{url.rstrip('/')}/".startswith(f"{member.prefix}/"):
        return True
    mount = subject.find(url, host_of(member.mount.key))
    return mount is not None and (bool(mount.key.prefix) or isinstance(mount, StaticMount))


def _escape(subject: Subject, member: CheckedMount, setting: Setting) -> Finding:
    relative = setting.value.lstrip("/")
    cure = f'Write {setting.name} = "{relative}", without the leading slash.'
    edit = edit_of_setting(subject, member, setting.name, setting.value, relative) if relative else None
    severity: Severity = "note" if subject.config.server.trusted_proxies else "warning"
    consequence = "Another mount answers them, or none, unless a proxy in front does."
    if setting.name.startswith("LOG"):  # LOGIN_URL and LOGOUT_REDIRECT_URL may belong to another application
        cure = f"Use the name of the URL pattern in {setting.name} instead of a path."
        severity, consequence, edit = "note", "It may lead to another mount, or nowhere.", None
    return absolute_urls.found(
        member,
        message=f'it has {setting.name} = "{setting.value}", which is not below {member.prefix}',
        cure=cure,
        edit=edit,
        severity=severity,
        consequence=consequence if severity == "note" else "",
    )


@check(
    "MS141",
    "error",
    "an application refuses the host of its mount",
    consequence="It answers 400 or 404.",
    scope="origin",
)
def refused_hosts(subject: Subject) -> Iterator[Finding]:
    """Django has ALLOWED_HOSTS, Flask has TRUSTED_HOSTS and SERVER_NAME, and other frameworks have similar lists.

    They refuse requests for any other host, so the host in the mount's key has to be in the list.
    """
    for member in subject.readable:
        hosts = member.facts.hosts if member.facts else None
        if hosts is None:
            continue
        key = member.mount.key
        if not hosts.patterns:
            cure = f"Add the host of the site to {hosts.setting}."
            yield refused_hosts.found(member, message=f"its {hosts.setting} is empty, or has no valid host", cure=cure)
        elif key.host and not hosts.allow(host_of(key).removesuffix(f":{key.port}")):
            yield _refusal(member, hosts, key.host)


def _refusal(member: CheckedMount, hosts: AllowedHosts, host: str) -> Finding:
    is_pattern = host.startswith("*") or "{" in host
    entry = f".{host.rpartition('}.')[2].removeprefix('*.')}" if is_pattern else host
    if hosts.setting == "allowed_hosts" and is_pattern:  # the spelling of Starlette and Litestar
        entry = f"*{entry}"
    message = f"its {hosts.setting} has {', '.join(hosts.patterns)}"
    return refused_hosts.found(
        member,
        message=f"{message}, which may not be every host of {host}" if is_pattern else f"{message}, and not {host}",
        cure=f'Add "{entry}" to {hosts.setting}.',
        severity="note" if is_pattern else "error",
    )


CHECKS = (application_root, force_script_name, root_path, dash_prefix, absolute_urls, refused_hosts)
