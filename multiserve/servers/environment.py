"""What the environment of a server must not say."""

from __future__ import annotations

import os

from multiserve.config.model import Config
from multiserve.errors import ConfigError, Problem


def refuse_script_name(config: Config) -> None:
    """Refuse the variable SCRIPT_NAME, by which servers understand different things.

    gunicorn takes it out of the path of each request, uvicorn and Waitress have options of other names and meanings.

    Raises:
        ConfigError: The variable is set, by the environment or by the file.
    """
    if not (config.env.get("SCRIPT_NAME") or os.environ.get("SCRIPT_NAME")):
        return
    root = f"{config.root}." if config.root else ""
    key = f"{root}env.SCRIPT_NAME" if "SCRIPT_NAME" in config.env else "SCRIPT_NAME"
    message = "a prefix in front of all mounts is what the proxy says that adds it"
    hint = "Unset it, let the proxy send X-Forwarded-Prefix, and set trusted_proxies under [server]."
    raise ConfigError(Problem(key=key, message=message, hint=hint))
