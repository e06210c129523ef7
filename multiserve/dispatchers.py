"""From loaded mounts to one dispatcher over them, as a WSGI or as an ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from multiserve._types import ASGIApplication, Interface, Loaded, WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount
from multiserve.dispatch.answers import Answer, broken, in_maintenance, misdirected
from multiserve.dispatch.not_found_page import ListedMount, left_out_of, not_found_in
from multiserve.dispatch.request_ids import identify_asgi, identify_wsgi
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.keys import MountKey
from multiserve.kinds import kind_of
from multiserve.kinds.kind import Surroundings
from multiserve.loading.applications import Middleware
from multiserve.loading.mounts import LoadedMount
from multiserve.routing import Router
from multiserve.tracebacks import format_traceback

if TYPE_CHECKING:  # asyncio takes long to import, and WSGI applications alone do not need it
    from multiserve.dispatch.asgi import ASGIMount
    from multiserve.dispatch.counting.counts import Counts
    from multiserve.dispatch.lifespan import Lifespan


def compose_wsgi(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> WSGIApplication:
    """Compose mounts that are all WSGI.

    Args:
        config: The configuration.
        mounts: What its mounts have become; those that failed answer 503.
        development: Show tracebacks and the list of mounts to clients.
    """
    around = _surroundings(config, mounts, development=development)
    router = Router(_answers_wsgi(mounts, around))
    return WSGIDispatcher(router, around.not_found.wsgi, trusted_proxies=config.server.trusted_proxies)


def _answers_wsgi(
    mounts: Sequence[LoadedMount], around: Surroundings, before: Mapping[str, Any] = MappingProxyType({})
) -> list[tuple[MountKey, WSGIApplication | WSGITenantMount]]:
    """Return what answers for each mount, which for those of `before` is what has answered so far."""
    answers = [(each.mount.key, before.get(each.mount.name) or _answer_wsgi(each, around)) for each in mounts]
    return [*answers, *((key, answer.wsgi) for key, answer in _answers_elsewhere(mounts, around))]


def _answer_wsgi(loaded: LoadedMount, around: Surroundings) -> WSGIApplication | WSGITenantMount:
    if loaded.error and loaded.application is None:
        return _broken(loaded, around).wsgi
    return kind_of(loaded.mount).answer_wsgi(loaded.mount, loaded, around)


def compose_bridged(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> ASGIApplication:
    """Compose mounts that are all WSGI, with the WSGI middleware of `[server]`, into an ASGI application.

    The middleware calls any mount in the thread in which it is called itself: all mounts share one pool of threads,
    which is as small as the mount with the fewest `threads` asks for.

    Raises:
        LoadError: The middleware cannot be loaded, or is not WSGI.
    """
    from multiserve.dispatch.asgi import ASGIDispatcher
    from multiserve.dispatch.bridged import BridgedSet, BridgedTenants
    from multiserve.dispatch.lifespan import Lifespan, Lifespans

    around = _surroundings(config, mounts, development=development)
    answers = _answers_wsgi(mounts, around)
    inner = WSGIDispatcher(Router(answers), around.not_found.wsgi)
    surround(config, inner, "wsgi")
    threads = min((mount.threads for mount in config.mounts if isinstance(mount, AppMount)), default=4)
    tenants = [BridgedTenants(answer) for _, answer in answers if isinstance(answer, WSGITenantMount)]
    hooked = [(each, Lifespan(each.hooks.lifespan, each.mount.name)) for each in mounts if each.hooks]
    required = [lifespan for each, lifespan in hooked if each.mount.required or config.server.strict]
    missing = _always(around.not_found)
    outer = ASGIDispatcher(
        Router([*((each.mount.key, missing) for each in mounts), *_elsewhere_asgi(mounts, around)]),
        Lifespans([each for _, each in hooked], required, config.server.shutdown_timeout, tenants),
        around.not_found,
        config.server.startup_timeout,
        details=development,
        trusted_proxies=config.server.trusted_proxies,
    )
    outer.surround(lambda dispatch: BridgedSet(inner, threads, dispatch))
    outer.inner = inner
    identify(config, outer, "asgi")
    return outer


def compose_asgi(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> ASGIApplication:
    """Compose mounts of either interface; the arguments are those of `compose_wsgi`."""
    # asyncio takes long to import, and a composition of WSGI applications does not need it.
    from multiserve.dispatch.asgi import ASGIDispatcher
    from multiserve.dispatch.lifespan import Lifespans

    # A mount that failed may be the one that is ASGI, and the process in front of a group always is.
    takes_asgi = bool(config.group) or any(loaded.interface == "asgi" or loaded.error for loaded in mounts)
    around = replace(_surroundings(config, mounts, development=development), takes_asgi=takes_asgi)
    lifespans: dict[int, Lifespan] = {}  # by application: one that is mounted twice has one
    required: list[Lifespan] = []
    composed: list[tuple[MountKey, ASGIMount | ASGITenantMount]] = []
    for loaded in mounts:
        lifespan = _lifespan_of(loaded, config, lifespans)
        if lifespan is not None and (loaded.mount.required or config.server.strict) and lifespan not in required:
            required.append(lifespan)
        composed.append((loaded.mount.key, _answer_asgi(loaded, around, lifespan)))
    composed += _elsewhere_asgi(mounts, around)
    tenants = [answering for _, answering in composed if isinstance(answering, ASGITenantMount)]
    supervisor = Lifespans(list(lifespans.values()), required, config.server.shutdown_timeout, tenants)
    return ASGIDispatcher(
        Router(composed),
        supervisor,
        around.not_found,
        config.server.startup_timeout,
        details=development,
        trusted_proxies=config.server.trusted_proxies,
    )


def _lifespan_of(loaded: LoadedMount, config: Config, lifespans: dict[int, Lifespan]) -> Lifespan | None:
    """Return the lifespan of a mount, which is added to those of the other applications; None if it has none."""
    from multiserve.dispatch.lifespan import Lifespan

    if loaded.error and loaded.application is None:
        return None
    lifespan = None
    if loaded.hooks:
        lifespan = lifespans.setdefault(id(loaded.hooks), Lifespan(loaded.hooks.lifespan))
    elif loaded.interface == "asgi" and kind_of(loaded.mount).may_have_lifespan(loaded, config):
        lifespan = lifespans.setdefault(id(loaded.application), Lifespan(loaded.application))
    if lifespan is not None:
        lifespan.mounts.append(loaded.mount.name)
    return lifespan


def _answer_asgi(loaded: LoadedMount, around: Surroundings, lifespan: Lifespan | None) -> ASGIMount | ASGITenantMount:
    if loaded.error and loaded.application is None:
        return _always(_broken(loaded, around))
    return kind_of(loaded.mount).answer_asgi(loaded.mount, loaded, around, lifespan)


def recompose(
    dispatcher: Any, config: Config, mounts: Sequence[LoadedMount], *, development: bool
) -> Callable[[], None]:
    """Prepare other mounts for a dispatcher that serves; what answers at a name that it has stays as it is.

    Args:
        dispatcher: What `compose_wsgi` or `compose_asgi` has made.
        config: The configuration with these mounts.
        mounts: All of them.
        development: Show tracebacks and the list of mounts to clients.

    Returns:
        What makes the dispatcher serve them; for ASGI it has to be called in the event loop.
    """
    around = _surroundings(config, mounts, development=development)
    before: dict[str, Any] = dispatcher.router.mounts
    if isinstance(dispatcher, WSGIDispatcher):
        return partial(dispatcher.replace, Router(_answers_wsgi(mounts, around, before)), around.not_found.wsgi)
    lifespans = {id(each.application): each for each in dispatcher.lifespans.lifespans}
    new = [each for each in mounts if each.mount.name not in before]
    begun = {each.mount.name: _lifespan_of(each, config, lifespans) for each in new}
    answers = {each.mount.name: _answer_asgi(each, around, begun[each.mount.name]) for each in new}
    of_asgi = [(each.mount.key, (before | answers)[each.mount.name]) for each in mounts]
    router = Router([*of_asgi, *_elsewhere_asgi(mounts, around)])

    def apply() -> None:
        for lifespan in begun.values():
            if lifespan is not None:
                dispatcher.lifespans.begin(lifespan)
        dispatcher.replace(router, around.not_found)
        for name in before.keys() - router.mounts.keys():
            dispatcher.lifespans.leave(name)

    return apply


def _surroundings(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> Surroundings:
    missing = not_found_in(_listed(config, mounts), development=development)
    return Surroundings(config=config, not_found=missing, development=development)


def _listed(config: Config, mounts: Sequence[LoadedMount]) -> list[ListedMount]:
    loaded = [ListedMount(each.mount.key, each.mount.shown, "FAILED" if each.error else "ok") for each in mounts]
    return [*loaded, *(ListedMount(each.key, each.shown, "left out") for each in config.elsewhere)]


def _answers_elsewhere(mounts: Sequence[LoadedMount], around: Surroundings) -> list[tuple[MountKey, Answer]]:
    """Return what answers for the mounts that another process serves: none of those here."""
    listed = _listed(around.config, mounts)
    return [
        (each.key, left_out_of(listed, each.name) if around.development else misdirected(each.name))
        for each in around.config.elsewhere
    ]


def _elsewhere_asgi(mounts: Sequence[LoadedMount], around: Surroundings) -> list[tuple[MountKey, ASGIMount]]:
    return [(key, _always(answer)) for key, answer in _answers_elsewhere(mounts, around)]


def _always(answer: Answer) -> ASGIMount:
    """Return a mount that gives the same answer to every request and WebSocket."""
    from multiserve.dispatch.asgi import ASGIMount

    return ASGIMount(http=answer.asgi, websocket=answer.asgi)


def _broken(loaded: LoadedMount, surroundings: Surroundings) -> Answer:
    if not surroundings.development or loaded.error is None:
        return broken(loaded.mount.name)
    return broken(loaded.mount.name, loaded.error.problems, format_traceback(loaded.error))


def put_in_maintenance(dispatcher: Any, pages: Mapping[str, str]) -> None:
    """Have mounts answer 503 from the next request on, and all others what they answered when they were composed.

    Args:
        dispatcher: What `compose_wsgi`, `compose_asgi` or `compose_bridged` has made.
        pages: The page of each mount in maintenance, as HTML, by its name; an empty one is ours.
    """
    answers = {name: in_maintenance(name, page) for name, page in pages.items()}
    inner = dispatcher if isinstance(dispatcher, WSGIDispatcher) else dispatcher.inner
    if inner is not None:
        inner.router.stand_in({name: answer.wsgi for name, answer in answers.items()})
    else:
        dispatcher.router.stand_in({name: _always(answer) for name, answer in answers.items()})


def count_answers(dispatcher: Any, counts: Counts) -> None:
    """Count what is answered from the next request on, around all middleware.

    Args:
        dispatcher: What `compose_wsgi`, `compose_asgi` or `compose_bridged` has made.
        counts: What counts.
    """
    if isinstance(dispatcher, WSGIDispatcher):
        from multiserve.dispatch.counting.wsgi import WSGICounting

        dispatcher.surround(partial(WSGICounting, dispatcher, counts))
    else:
        from multiserve.dispatch.counting.asgi import ASGICounting

        dispatcher.surround(partial(ASGICounting, dispatcher, counts))


def surround(config: Config, dispatcher: Any, interface: Interface) -> None:
    """Put the middleware of `[server]` around a dispatcher.

    Raises:
        LoadError: It cannot be loaded, or has another interface. To serve without it could be unsafe.
    """
    key = f"{config.root}.server.middleware" if config.root else "server.middleware"
    for target in reversed(config.server.middleware):
        middleware = Middleware(target, key=key, folder=config.folder)

        def wrap(application: Any, middleware: Middleware = middleware) -> Any:
            return middleware.wrap(Loaded(application, interface), "").application

        dispatcher.surround(wrap)


def identify(config: Config, dispatcher: Any, interface: Interface) -> None:
    """Give each request an id, if the configuration asks for that, before the middleware of `[server]` has it."""
    if config.server.identifies_requests:
        wrap: Callable[..., Any] = identify_wsgi if interface == "wsgi" else identify_asgi
        # What comes to the process of a group has the id that the process in front has decided on.
        dispatcher.surround(partial(wrap, trusts=bool(config.server.trusted_proxies or config.group)))
