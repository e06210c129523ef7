"""Checks of applications that think they stand somewhere else: their own prefixes, absolute URLs, allowed hosts."""

from __future__ import annotations

from collections.abc import Iterator

from multiserve.checks.check import Check, check
from multiserve.checks.subject import CheckedMount, Subject, host_of
from multiserve.config.mounts import StaticMount
from multiserve.findings import Finding, Severity
from multiserve.frameworks import AllowedHosts, Setting


@check("MS130", "warning", "APPLICATION_ROOT is not the prefix", consequence="Its cookies are sent to other paths.")
def application_root(subject: Subject) -> Iterator[Finding]:
    """Flask takes the path of its cookie from APPLICATION_ROOT, and that of URLs which are made outside of requests.

    The prefix of the mount reaches Flask by itself, so the setting is only needed for these.
    """
    for member, setting in _settings(subject, "APPLICATION_ROOT"):
        if setting.value.rstrip("/") != member.prefix:
            places = sum(each.identity == member.identity for each in subject.members)
            cure = "Leave APPLICATION_ROOT out: the application is mounted more than once."
            if places == 1:
                cure = f'Set APPLICATION_ROOT = "{member.prefix or "/"}", or leave it out.'
            yield from _misfit(application_root, subject, member, setting, cure)


@check("MS131", "error", "FORCE_SCRIPT_NAME is not the prefix", consequence="Its URLs lead somewhere else.")
def force_script_name(subject: Subject) -> Iterator[Finding]:
    """FORCE_SCRIPT_NAME takes the place of the prefix that the mount hands over, in every URL that Django makes."""
    for member, setting in _settings(subject, "FORCE_SCRIPT_NAME"):
        if setting.value.rstrip("/") != member.prefix:
            yield from _misfit(
                force_script_name, subject, member, setting, "Take FORCE_SCRIPT_NAME out of the settings."
            )


@check("MS132", "error", "root_path is not the prefix", consequence="Its routes answer 404.")
def root_path(subject: Subject) -> Iterator[Finding]:
    """The mount tells an ASGI application its prefix in root_path.

    A FastAPI that is given another one, be it by a slash at the end, puts that in its place, and then finds none of
    its own routes.
    """
    for member, setting in _settings(subject, "root_path"):
        if setting.value != member.prefix:
            yield from _misfit(root_path, subject, member, setting, "Take root_path out of the application.")


def _settings(subject: Subject, name: str) -> Iterator[tuple[CheckedMount, Setting]]:
    for member in subject.readable:
        for setting in member.facts.own_prefix if member.facts else ():
            if setting.name == name:
                yield member, setting


def _misfit(topic: Check, subject: Subject, member: CheckedMount, setting: Setting, cure: str) -> Iterator[Finding]:
    """Tell a prefix that does not fit, unless a proxy in front may take off what it has more than the mount's."""
    message = f'it has {setting.name} = "{setting.value}", and stands at {member.mount.key}'
    fits_behind_proxy = setting.value.rstrip("/").endswith(member.prefix)
    if not fits_behind_proxy or (setting.name == "root_path" and member.prefix):
        yield topic.found(member, message=message, cure=cure)
    elif not subject.config.server.trusted_proxies:
        message = f"{message}: that may only be right behind a proxy"
        consequence = "Without such a proxy, its URLs and cookies lead somewhere else."
        yield topic.found(member, message=message, cure=cure, severity="note", consequence=consequence)


@check("MS133", "error", "Dash does not know its prefix", consequence="The page stays blank.")
def dash_prefix(subject: Subject) -> Iterator[Finding]:
    """Dash cannot learn its prefix from the request.

    Its scripts in the browser ask for data at requests_pathname_prefix, which has to be the prefix of the mount. A
    factory may be given it: "dashboards:sales(prefix)".
    """
    for member in subject.readable:
        settings = dict(member.facts.own_prefix) if member.facts else {}
        asked = settings.get("requests_pathname_prefix")
        routed = settings.get("routes_pathname_prefix", "/")
        expected = member.prefix + routed
        is_behind_proxy = subject.config.server.trusted_proxies and asked and asked.endswith(expected)
        if asked is not None and asked != expected and not is_behind_proxy:
            cure = f'Say Dash(requests_pathname_prefix="{member.prefix}/", routes_pathname_prefix="/").'
            message = f'it has requests_pathname_prefix = "{asked}" and routes_pathname_prefix = "{routed}"'
            yield dash_prefix.found(member, message=f"{message}, and stands at {member.mount.key}", cure=cure)


@check("MS140", "warning", "absolute URLs leave the mount", consequence="They are asked of another mount, or nobody.")
def absolute_urls(subject: Subject) -> Iterator[Finding]:
    """A URL in the settings that begins with a slash is sent to browsers as it is, without the prefix of the mount.

    Django puts the prefix in front of STATIC_URL and MEDIA_URL if they do not begin with a slash, and Flask in front
    of static_url_path in any case. Nothing is said where another mount has the URL, or a static folder.
    """
    for member in subject.readable:
        for setting in member.facts.absolute_urls if member.facts and member.prefix else ():
            if not _has_place(subject, member, setting.value):
                yield _escape(subject, member, setting)


def _has_place(subject: Subject, member: CheckedMount, url: str) -> bool:
    """Tell whether a URL stays in the mount, or is one that the file says something about."""
    if f"{url.rstrip('/')}/".startswith(f"{member.prefix}/"):
        return True
    mount = subject.find(url, host_of(member.mount.key))
    return mount is not None and (bool(mount.key.prefix) or isinstance(mount, StaticMount))


def _escape(subject: Subject, member: CheckedMount, setting: Setting) -> Finding:
    cure = f'Write {setting.name} = "{setting.value.lstrip("/")}", without the slash in front.'
    severity: Severity = "note" if subject.config.server.trusted_proxies else "warning"
    consequence = "They are asked of another mount, or nobody, unless a proxy in front answers them."
    if setting.name.startswith("LOG"):  # LOGIN_URL and the like may well lead to another application
        cure = f"Name the pattern of the URL in {setting.name} instead of its path."
        severity, consequence = "note", "It may lead to another mount, or nowhere."
    return absolute_urls.found(
        member,
        message=f'it has {setting.name} = "{setting.value}", which is not below {member.prefix}',
        cure=cure,
        severity=severity,
        consequence=consequence if severity == "note" else "",
    )


@check("MS141", "error", "an application refuses the host that it is mounted at", consequence="It answers 400 or 404.")
def refused_hosts(subject: Subject) -> Iterator[Finding]:
    """Django has ALLOWED_HOSTS, Flask TRUSTED_HOSTS and SERVER_NAME, others a list of their own.

    Requests for other hosts are refused. The host of the mount's key has to be among them.
    """
    for member in subject.readable:
        hosts = member.facts.hosts if member.facts else None
        if hosts is None:
            continue
        key = member.mount.key
        if not hosts.patterns:
            cure = f"Put the host of the site into {hosts.setting}."
            yield refused_hosts.found(
                member, message=f"its {hosts.setting} is empty, or has no host that counts", cure=cure
            )
        elif key.host and not hosts.allow(host_of(key).removesuffix(f":{key.port}")):
            yield _refusal(member, hosts, key.host)


def _refusal(member: CheckedMount, hosts: AllowedHosts, host: str) -> Finding:
    is_pattern = host.startswith("*") or "{" in host
    entry = f".{host.rpartition('}.')[2].removeprefix('*.')}" if is_pattern else host
    if hosts.setting == "allowed_hosts" and is_pattern:  # of Starlette and of Litestar
        entry = f"*{entry}"
    message = f"its {hosts.setting} has {', '.join(hosts.patterns)}"
    return refused_hosts.found(
        member,
        message=f"{message}, which may not be every host of {host}" if is_pattern else f"{message}, and not {host}",
        cure=f'Put "{entry}" into {hosts.setting}.',
        severity="note" if is_pattern else "error",
    )


CHECKS = (application_root, force_script_name, root_path, dash_prefix, absolute_urls, refused_hosts)
