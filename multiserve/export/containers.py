"""What all engines of containers are told alike: what a unit runs, which variables it needs, and nginx in front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from multiserve.config.variables import named_in
from multiserve.errors import Problem, raise_for
from multiserve.export import nginx
from multiserve.export.model import Export
from multiserve.export.units import FRONT, Unit

PORT = 8000
"""The port on which a unit serves."""

MANAGE_PORT = 9000
"""The port on which a unit says whether it serves."""

FRONT_PORT = 8080
"""The port of the front inside its container, which no root is needed for."""

USER = 1000
"""The user, and the user's group, that runs what is in the containers; no image needs to know them."""

FRONT_IMAGE = "nginx:stable"
"""The image of the front, if the command line names none."""

_LONGEST_NAME = 63
_MEGABYTE = 1024**2
_USUAL_MEMORY = 512  # megabytes
_MASTER_MEMORY = 128  # megabytes, for what starts the workers
_GRACE = 30  # seconds: gunicorn's graceful_timeout, if the file has none
_NGINX = """\
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr;
events {
    worker_connections 4096;
}
http {
    access_log off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    include site.conf;
}
"""


def check_images(export: Export, form: str) -> None:
    """Refuse to write about containers without images.

    Raises:
        ConfigError: The image of a unit is not known, or an address was given, which the engine decides.
    """
    missing = [unit.name for unit in export.units if unit.name not in export.images]
    problems = []
    if missing:
        hint = f"Write --image IMAGE for all, or --image {missing[0]}=IMAGE."
        problems.append(Problem(key="--image", message=f"no image for {', '.join(missing)}", hint=hint))
    longest = max((f"{export.name}-{unit.name}" for unit in export.units), key=len)
    if len(longest) > _LONGEST_NAME:
        message = f'"{longest}" is longer than the {_LONGEST_NAME} characters of a label (RFC 1123)'
        problems.append(Problem(key="--name", message=message, hint="Take a shorter one."))
    if "--address" in export.command:
        message = f"{form} decides where the units listen"
        problems.append(Problem(key="--address", message=message, hint="Leave it out."))
    raise_for(problems)


def command_of(unit: Unit, manage: str = "0.0.0.0") -> list[str]:  # noqa: S104 (in a container of its own)
    """Return what a unit runs.

    Args:
        unit: The unit.
        manage: The address on which it says whether it serves.
    """
    return [
        *("multiserve", "run", "--production"),
        *("--bind", f"0.0.0.0:{PORT}", "--manage", f"{manage}:{MANAGE_PORT}"),
        *("--trusted-proxies", "1", "--pidfile", "/tmp/multiserve.pid"),  # noqa: S108 (the container's own)
        *(argument.replace("$", "$$") for argument in unit.arguments_in_image),  # one alone would begin a variable
    ]


def environment() -> dict[str, str]:
    """Return the variables that every unit has: nothing is written beside the code, one worker each."""
    return {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "WEB_CONCURRENCY": "1"}


@dataclass(frozen=True, slots=True)
class Needed:
    """A variable that the file takes from outside.

    Attributes:
        name: Its name; its value is never written anywhere.
        is_optional: The file has a default.
    """

    name: str
    is_optional: bool


def needed_variables(export: Export) -> list[Needed]:
    """Return the variables that the file takes from outside, by their names."""
    found = named_in(export.config.written)
    return [Needed(name, found[name]) for name in sorted(found) if name not in export.config.env]


def memory_of(export: Export, unit: Unit) -> int:
    """Return how many megabytes a unit may take: those of its workers, and of what starts them."""
    workers = export.config.gunicorn.get("workers", 1) if unit.group is None else unit.group.workers
    most = unit.group.max_memory if unit.group is not None else 0
    each = -(-most // _MEGABYTE) if most else _USUAL_MEMORY - _MASTER_MEMORY
    return _MASTER_MEMORY + each * (workers if isinstance(workers, int) else 1)


def seconds_to_stop(export: Export) -> int:
    """Return how long a unit may take from the signal to its end."""
    grace = export.config.gunicorn.get("graceful_timeout", _GRACE)
    return export.config.server.drain_seconds + (grace if isinstance(grace, int) else _GRACE) + 5


def front_files(export: Export, addresses: Mapping[str, str]) -> dict[str, str]:
    """Return the configuration of nginx in a container: the text of each file by its name.

    Args:
        export: The export.
        addresses: Where the engine lets each unit be found, by its name.
    """
    inside = replace(export, addresses=addresses, listen=FRONT_PORT, name="site")
    (site,) = nginx.render(inside).values()
    return {"nginx.conf": _NGINX, "site.conf": site}


def front_image(export: Export) -> str:
    """Return the image of the front."""
    return export.images.get(FRONT, FRONT_IMAGE)


FRONT_COMMAND = ("nginx", "-c", "/etc/multiserve/nginx.conf", "-g", "daemon off;")
"""What the front runs, in any image that has nginx."""
