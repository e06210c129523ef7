"""The debugger of development: a page with the traceback, and a console in each of its frames."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from multiserve._types import Loaded, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.config.model import Config
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.errors import ConfigError, Problem
from multiserve.hosts import is_loopback

if TYPE_CHECKING:
    from multiserve.servers.development.asgi_debugger import ASGIDebugger

log = logging.getLogger("multiserve")

# Flask hides an exception from the debugger unless it is told to let it through, before it is imported.
ENVIRONMENT = {"FLASK_DEBUG": "1"}

_DEBUGGED = "multiserve.debugged"  # where the environ has the application that the debugger watches, and start_response


class Debugger:
    """One debugger, with one PIN, for all applications."""

    def __init__(self, config: Config) -> None:
        """Prepare a debugger that may be used under the hosts of a configuration."""
        from werkzeug.debug import DebuggedApplication  # it takes long to import

        # It would print its PIN at once.
        self._debugged = DebuggedApplication(_current, evalex=True, console_path=None, pin_logging=False)  # type: ignore[arg-type]
        self._debugged.pin_logging = True  # where a page asks for the PIN, it is printed once more
        if hasattr(self._debugged, "trusted_hosts"):
            self._debugged.trusted_hosts += _trusted_hosts(config)
        else:  # werkzeug before 3.0.3, in the environment of a group: it would open the console under any host
            self._debugged.evalex = False
        self._asgi: ASGIDebugger | None = None
        self._writes_json = config.server.log == "json"

    @property
    def pin(self) -> str | None:
        """The PIN that the console asks for; None if WERKZEUG_DEBUG_PIN has turned that off."""
        return self._debugged.pin

    def wrap(self, loaded: Loaded) -> Loaded:
        """Return an application whose exceptions the debugger answers."""
        if loaded.interface == "wsgi":
            return Loaded(self.wrap_wsgi(loaded.application), "wsgi")
        if self._asgi is None:
            from multiserve.servers.development.asgi_debugger import ASGIDebugger  # asyncio takes long to import

            self._asgi = ASGIDebugger(self.wrap_wsgi)
        return Loaded(self._asgi.wrap(loaded.application), "asgi")

    def wrap_wsgi(self, application: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application whose exceptions the debugger answers."""

        def debugged(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ[_DEBUGGED] = application, start_response, self._writes_json
            return self._debugged(environ, partial(_start_again, start_response))

        return debugged


def _current(environ: WSGIEnvironment, _: StartResponse) -> Iterator[bytes]:
    """Let the application answer that the request is for."""
    __traceback_hide__ = True  # of werkzeug: this frame is not the application's
    application, start_response, writes_json = environ[_DEBUGGED]
    result: Iterable[bytes] = ()
    try:
        result = application(environ, start_response)
        for part in result:  # noqa: UP028 ("yield from" would close it as well)
            yield part
    except Exception as error:
        what = f"The application at {environ.get(MOUNT_KEY)} failed"
        if writes_json:
            own = error.__traceback__.tb_next if error.__traceback__ else None
            log.exception("%s", what, exc_info=(type(error), error, own))
            environ["wsgi.errors"] = io.StringIO()  # the debugger would write the traceback there as text
        else:
            environ["wsgi.errors"].write(f"{what}:\n")  # the debugger writes the traceback behind it
        raise
    finally:
        if hasattr(result, "close"):
            result.close()


def _start_again(start_response: StartResponse, status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
    """Start the debugger's response, in place of one that the application has started before it raised."""
    raised = sys.exc_info()  # the debugger is about to answer it, but does not say so
    return start_response(status, headers, raised if raised[1] else None)


def _trusted_hosts(config: Config) -> list[str]:
    """Return the hosts under which the debugger may be used; a leading dot matches any subdomain."""
    mounted = (mount.key.host.removeprefix("*") for mount in config.mounts if mount.key.host)
    return [config.server.host, *mounted]


def use_debugger(config: Config, *, asked: bool | None) -> bool:
    """Return whether the debugger runs: anyone who can reach it gets a Python console.

    Args:
        config: The configuration.
        asked: Whether the command line turns it on; None if it does not say.

    Raises:
        ConfigError: The file asks for it on an address that other machines reach.
    """
    if asked is not None:
        return asked
    if is_loopback(config.server.host):
        return config.development.debugger is not False
    if config.development.debugger:
        raise ConfigError(
            Problem(
                key="development.debugger",
                message=f"the debugger runs any code for anyone who reaches {config.server.host}",
                hint="Say --debugger as well if you mean it, or --no-debugger, or listen on 127.0.0.1.",
            )
        )
    return False
