"""How many files and connections each process of a group may have open."""

from __future__ import annotations

from multiserve.errors import ConfigError, Problem


def limit_open_files(number: int, group: str) -> None:
    """Limit them for this process, and for those that it starts.

    Args:
        number: The limit; 0 leaves it as it is.
        group: The name of the group.

    Raises:
        ConfigError: The system does not allow as many.
    """
    if not number:
        return
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
    except (ValueError, OSError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        message = (
            f"the system does not allow a process {number} open files; it may have {most} as multiserve is started"
        )
        hint = "Write less, or start multiserve where more are allowed: see ulimit -n."
        raise ConfigError(Problem(key=f"groups.{group}.max_open_files", message=message, hint=hint)) from None
