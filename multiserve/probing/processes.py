"""The process that a probe asks: this one, with a validator around each application, or one that is asked elsewhere."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self, cast

from multiserve.composition import Composition
from multiserve.config.mounts import AppMount, TenantMount
from multiserve.dispatch.asgi import ASGIDispatcher
from multiserve.dispatchers import compose_asgi, compose_wsgi
from multiserve.loading.django_static import is_served
from multiserve.loading.django_urls import forget_settled_urls
from multiserve.loading.mounts import LoadedMount
from multiserve.probing.asgi_client import ASGIClient
from multiserve.probing.exchange import Client, Received, routed_url
from multiserve.probing.validators import Validation, is_about_content_type, objection_of
from multiserve.probing.wsgi_client import WSGIClient

TIME_LIMIT = 10.0  # seconds for one request
PAGES = "text/html,*/*;q=0.8"


class Process(Protocol):
    """A process with some of the mounts, whose lifespans run."""

    @property
    def blocker(self) -> str:
        """The name of the mount whose lifespan blocks the event loop; "" if none does."""

    def ask(self, method: str, url: str, accept: str = PAGES) -> Received:
        """Send one request."""

    def visit(self, url: str) -> tuple[Received, tuple[str, ...]]:
        """Request a page, and return the objections of the validator as well."""

    def failure_at(self, url: str) -> str:
        """Return why the lifespan of the application at a URL has not started; "" if it has."""

    def is_static_file(self, mount: str, path: str) -> bool:
        """Return whether the development server, as Django's `runserver`, serves the path of a file beside a mount."""


class ThisProcess:
    """The mounts of a composition, composed once more for a probe; their lifespans run inside the with block."""

    def __init__(self, composition: Composition) -> None:
        """Compose the mounts."""
        forget_settled_urls()  # the checks have imported URL configurations, which ask for them without a request
        config = composition.config
        self._mounts = {loaded.mount.name: loaded for loaded in composition.mounts}
        self._validation = Validation()
        mounts = [self._validated(loaded) for loaded in composition.mounts]
        self._dispatcher: ASGIDispatcher | None = None
        self._client: Client
        if composition.interface == "wsgi":
            self._client = WSGIClient(compose_wsgi(config, mounts, development=False))
        else:
            self._dispatcher = cast("ASGIDispatcher", compose_asgi(config, mounts, development=False))
            self._client = ASGIClient(self._dispatcher)

    def _validated(self, loaded: LoadedMount) -> LoadedMount:
        if loaded.error or not isinstance(loaded.mount, AppMount) or isinstance(loaded.mount, TenantMount):
            return loaded
        return replace(loaded, application=self._validation.wrap(loaded.application, loaded.interface))

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)

    @property
    def blocker(self) -> str:
        """The name of the mount whose lifespan blocks the event loop; "" if none does."""
        return self._client.blocker if isinstance(self._client, ASGIClient) else ""

    def ask(self, method: str, url: str, accept: str = PAGES) -> Received:
        """Send one request."""
        with self._validation.off():  # each application is validated when its own mount is visited
            return self._client.ask(method, url, accept, TIME_LIMIT)

    def visit(self, url: str) -> tuple[Received, tuple[str, ...]]:
        """Request a page, and repeat it without the WSGI validator if that raised: there is no response then."""
        received = self._client.ask("GET", url, PAGES, TIME_LIMIT)
        violations = self._validation.take()
        if received.error and (objection := objection_of(received.error)):
            received = self.ask("GET", url)
            if received.body or not is_about_content_type(objection):
                violations = (*violations, objection)
        return received, violations

    def failure_at(self, url: str) -> str:
        """Return why the lifespan of the application at a URL has not started; "" if it has."""
        route = self._dispatcher and self._dispatcher.router.find(*routed_url(url))
        lifespan = getattr(route.mount, "lifespan", None) if route else None
        return lifespan.failure if lifespan else ""

    def is_static_file(self, mount: str, path: str) -> bool:
        """Return whether the development server, as Django's `runserver`, serves the path of a file beside a mount."""
        loaded = self._mounts[mount]
        prefix = loaded.mount.key.prefix
        return is_served(loaded.origin, prefix, path.removeprefix(prefix))
