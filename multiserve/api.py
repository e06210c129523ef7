"""What Python programs call: the work of the commands, without their printing and exit codes (docs/api.md)."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Literal, TypeAlias, overload

from multiserve._types import ASGIApplication, Interface, WSGIApplication
from multiserve.composition import Composition, compose, log_failures, raise_failures, refuse_failures
from multiserve.config import file
from multiserve.config.model import Config
from multiserve.loading.mounts import ForeignInterfaceError

if TYPE_CHECKING:  # create_app alone needs neither
    from multiserve.findings import Finding
    from multiserve.routes.explain import Explanation

log = logging.getLogger("multiserve")

StrPath: TypeAlias = str | os.PathLike[str]


def load_config(path: StrPath | None = None) -> Config:
    """Read and check a configuration; no application is imported.

    Args:
        path: The file: a multiserve.toml, or a pyproject.toml with a table `[tool.multiserve]`. By default it is found
            as the commands find it: `MULTISERVE_CONFIG`, `./multiserve.toml`, `./pyproject.toml`.

    Returns:
        The configuration, frozen.

    Raises:
        ConfigError: The file is missing, is not TOML, or has mistakes in it; every one of them is in `problems`.
    """
    return file.load_config(file.find_config(path))


@overload
def create_app(config: Config | StrPath | None = None, *, interface: Literal["wsgi"]) -> WSGIApplication: ...


@overload
def create_app(config: Config | StrPath | None = None, *, interface: Literal["asgi"]) -> ASGIApplication: ...


@overload
def create_app(
    config: Config | StrPath | None = None, *, interface: Interface | None = None
) -> WSGIApplication | ASGIApplication: ...


def create_app(
    config: Config | StrPath | None = None, *, interface: Interface | None = None
) -> WSGIApplication | ASGIApplication:
    """Load every mount and compose them into one application, for any server.

    A mount that cannot be loaded is logged and answers 503, unless it is `required` or the configuration is `strict`.
    So does one in a group, whose process only `multiserve run` starts.
    The environment variables under `[env]` are set, and the folders of `pythonpath` are put on `sys.path`, for good.

    Args:
        config: The configuration, or the path of its file; by default the file is found as by `load_config`.
        interface: The interface of the result: `"wsgi"` (PEP 3333) or `"asgi"` (ASGI 3.0). By default it is WSGI if
            every mount is, and ASGI otherwise.

    Returns:
        The composed application. A server has to run the lifespan of an ASGI application, or those of the mounts
        do not start.

    Raises:
        ConfigError: The file is missing or wrong.
        LoadError: No mount could be loaded, or a required one could not, or `interface` is `"wsgi"` and some mount
            is ASGI.
    """
    application: WSGIApplication | ASGIApplication = load(config, interface).application
    return application


def load(config: Config | StrPath | None, interface: Interface | None = None) -> Composition:
    """Load every mount and compose them, or raise what `create_app` raises."""
    composition = compose(_configuration(config), interface=interface)
    refuse_failures(composition)
    # These mounts are fine: it is the wanted interface that cannot serve them.
    raise_failures(loaded for loaded in composition.failures if isinstance(loaded.error, ForeignInterfaceError))
    log_failures(composition, log)
    return composition


def check(config: Config | StrPath, *, production: bool = False, probe: bool = False) -> list[Finding]:
    """Load every mount and find what is wrong with them and with the composition as a whole.

    This is what `multiserve check` finds. The applications are loaded into this process, so what loading them does to
    it (the checks MS160 to MS168) is only found by the first call. Those of groups are loaded in processes of their
    own, which read the configuration from its file.

    Args:
        config: The configuration, or the path of its file.
        production: Check it as `multiserve run --production` would serve it.
        probe: Send GET and HEAD requests to each application as well, in this process, and check the responses.

    Returns:
        The findings, the most severe first; an empty list if all is well. A mount that cannot be loaded is a finding
        with the code MS301, one for each of its problems. It cannot be ignored.

    Raises:
        ConfigError: The file is missing or wrong, or a server would refuse a setting in it.
    """
    from multiserve.inspection import inspect

    return inspect(_configuration(config), production=production, probe=probe).all_findings


def explain(config: Config | StrPath, url: str, method: str | None = None) -> Explanation:
    """Explain which mount answers a URL, why, and what its application sees; no application is imported.

    Args:
        config: The configuration, or the path of its file.
        url: A whole URL, or a path with or without a host in front.
        method: The method of the request; `WEBSOCKET` for a WebSocket. By default it is GET, or WEBSOCKET if the URL
            begins with ws:// or wss://.

    Returns:
        The explanation; its `mount` is None if no mount answers.

    Raises:
        ConfigError: The file is missing or wrong, `url` is not a URL, or no request for it has this method.
    """
    from multiserve.routes import explain as routes

    return routes.explain(_configuration(config), url, method or "")


def _configuration(config: Config | StrPath | None) -> Config:
    return config if isinstance(config, Config) else load_config(config)
