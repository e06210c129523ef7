"""systemd: a socket and a service for each unit, and a target for all, for hosts without containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from multiserve.export.containers import memory_of, needed_variables, seconds_to_stop
from multiserve.export.health import Health, find_health
from multiserve.export.model import Export
from multiserve.export.units import Unit

_LONGEST_START = 300  # seconds
_SAFE = """\
DynamicUser=yes
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native
# What the applications may write to: nothing but /tmp, unless it is named here.
# StateDirectory={site}
# ReadWritePaths={folder}/media"""


def render(export: Export) -> Mapping[str, str]:
    """Return the files for /etc/systemd/system."""
    files = {f"{export.name}.target": _text(_target(export))}
    health = find_health(export)
    for unit in export.units:
        name = f"{export.name}-{unit.name}"
        files[f"{name}.socket"] = _text(_socket(export, unit))
        files[f"{name}.service"] = _text(_service(export, unit, health[unit.name]))
    return files


def _text(lines: Iterator[str]) -> str:
    return "\n".join([*lines, ""])


def _target(export: Export) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description=All units of {export.name}"
    names = [f"{export.name}-{unit.name}" for unit in export.units]
    yield f"Wants={' '.join(f'{name}.socket {name}.service' for name in names)}"
    yield ""
    yield "[Install]"
    yield "WantedBy=multi-user.target"


def _socket(export: Export, unit: Unit) -> Iterator[str]:
    yield "# systemd keeps the socket open, so that a restart of the service loses no connection."
    yield "[Unit]"
    yield f"Description=The socket of {_description(export, unit)}"
    yield f"PartOf={export.name}.target"
    yield ""
    yield "[Socket]"
    address = export.addresses[unit.name]
    yield f"ListenStream={_escaped(address.removeprefix('unix:'))}"
    if address.startswith("unix:"):
        yield "# The front alone: whoever may write to it may claim to be any client."
        yield "SocketMode=0660"
        yield "SocketGroup=www-data"
    yield "Backlog=2048"


def _service(export: Export, unit: Unit, health: Health) -> Iterator[str]:
    name = f"{export.name}-{unit.name}"
    pid = f"/run/{name}/pid"
    program = f"{export.folder}/.venv/bin/multiserve"
    yield "[Unit]"
    yield f"Description={_description(export, unit)}"
    yield f"PartOf={export.name}.target"
    yield f"Requires={name}.socket"
    yield "After=network.target"
    yield ""
    yield "[Service]"
    yield "Type=notify"
    yield f"WorkingDirectory={_escaped(export.folder)}"
    if variables := needed_variables(export):
        optional = "-" if all(each.is_optional for each in variables) else ""
        yield f"# with {', '.join(each.name for each in variables)}; root alone need be able to read it"
        yield f"EnvironmentFile={optional}/etc/{export.name}.env"
    yield "Environment=PYTHONDONTWRITEBYTECODE=1"
    options = ("--trusted-proxies", "1", "--manage", f"{health.listen}:{health.port}", "--pidfile", pid)
    yield f"ExecStart={_words([program, 'run', '--production', *options, *unit.arguments_on_host])}"
    yield f"ExecReload={_words([program, 'reload', '--pid', pid])}"
    yield f"RuntimeDirectory={name}"
    yield "Restart=on-failure"
    yield "WatchdogSec=30"
    yield f"TimeoutStartSec={_LONGEST_START}"
    yield f"TimeoutStopSec={seconds_to_stop(export)}"
    yield "KillMode=mixed"
    if unit.group is not None and unit.group.max_memory:
        yield f"MemoryMax={memory_of(export, unit)}M"
    yield _SAFE.format(site=export.name, folder=_escaped(export.folder), home=_home(export))


def _home(export: Export) -> str:
    """Return whether the homes of users are hidden; where the file is in one, they can be read."""
    return "read-only" if export.folder.startswith(("/home/", "/root/")) else "yes"


def _description(export: Export, unit: Unit) -> str:
    keys = [mount.name for mount in unit.mounts if not mount.is_member]
    return _escaped(f"{export.name}: {', '.join(keys)}")


def _words(words: Sequence[str]) -> str:
    """Return a command as systemd.service(5) has it."""
    return " ".join(map(_word, words))


def _word(word: str) -> str:
    text = _escaped(word).replace("$", "$$")
    if word and not set(word) & set(" \t'\"\\;"):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _escaped(text: str) -> str:
    """Return a text in which no percent sign begins a specifier of systemd.unit(5)."""
    return text.replace("%", "%%")
