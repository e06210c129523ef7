"""The bookkeeping of tenants: which are built, in use, idle, refused or failing; it builds and closes none itself."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

Values: TypeAlias = tuple[str, ...]
_REMEMBERED = 1024  # names that are refused or fail: made-up ones must not fill the memory
_PAUSE = 5.0  # seconds until a tenant that failed is tried again
_LONGEST = 3600.0  # seconds between two looks for what is idle


@dataclass(frozen=True, slots=True)
class Instance:
    """The application of a tenant.

    Attributes:
        made: What the factory returned, which may be the same object for several tenants.
        application: The same, wrapped in its middleware.
    """

    made: Any
    application: Any


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How many applications of tenants are kept, and for how long.

    Attributes:
        max_instances: Applications that are kept; beyond it the one that was used least recently is evicted.
        idle_seconds: Seconds after which an unused application is evicted; 0 is never.
        refused_seconds: Seconds for which a name is remembered for which the factory returned None.
    """

    max_instances: int
    idle_seconds: float
    refused_seconds: float


T = TypeVar("T", bound=Instance)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a tenant has no instance, and the details that its clients may see."""

    text: str
    details: str = ""


class Tenant(Generic[T]):
    """One tenant, from the request that starts its build until it is evicted or forgotten.

    Attributes:
        values: What the placeholders captured.
        outcome: That of the build: an instance, or why there is none, or None if the factory returned None.
        instance: The instance, once it is built.
        users: How many requests use it or wait for it.
        since: When it became idle, or until when it is refused.
    """

    def __init__(self, values: Values) -> None:
        """Create the record of a tenant that is about to be built."""
        self.values = values
        self.outcome: Future[T | Failure | None] = Future()
        self.instance: T | None = None
        self.users = 0
        self.since = 0.0

    def __str__(self) -> str:
        return ", ".join(map(repr, self.values))


class Instances(Generic[T]):
    """The instances of all tenants of a mount, for any number of threads.

    One lock guards all of it, and is held only briefly. The first caller who claims a tenant builds it, and a caller
    who gets evicted tenants closes what was made for them. If one object was made for several tenants, only the last
    of them is returned.
    """

    def __init__(self, limits: CacheLimits, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep as many instances as `limits` allows, or more while all of them are in use; `clock` returns seconds."""
        self.limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._tenants: dict[Values, Tenant[T]] = {}  # those that are being built and those that are built
        self._idle: OrderedDict[Values, Tenant[T]] = OrderedDict()  # those that are built and not in use, oldest first
        self._refused: OrderedDict[Values, Tenant[T]] = OrderedDict()  # oldest first
        self._built = 0
        self._holders: dict[int, int] = {}  # by the id of what was made: how many tenants have it
        self._is_watched = False

    def claim(self, values: Values) -> tuple[Tenant[T], bool]:
        """Return a tenant, now in use, and whether the caller has to build it; if not, wait for its `outcome`."""
        with self._lock:
            tenant = self._tenants.get(values)
            if tenant is not None:
                if not tenant.users:
                    self._idle.pop(values, None)
                tenant.users += 1
                return tenant, False
            refused = self._refused.get(values)
            if refused is not None and self._clock() < refused.since:
                return refused, False
            tenant = self._tenants[values] = Tenant(values)
            tenant.users = 1
            return tenant, True

    def claim_again(self, tenant: Tenant[T]) -> None:
        """Use a tenant that is in use for one thing more, which has to be released, too."""
        with self._lock:
            tenant.users += 1

    def release(self, tenant: Tenant[T]) -> list[Tenant[T]]:
        """End one use of a tenant, and give the evicted ones."""
        with self._lock:
            tenant.users -= 1
            if not tenant.users and tenant.instance is not None and self._tenants.get(tenant.values) is tenant:
                self._rest(tenant)
            return self._trim()

    def hold(self, made: Any) -> None:
        """Count one more tenant of this application object; `settle` (built) or `drop` (failed) must follow."""
        with self._lock:
            self._holders[id(made)] = self._holders.get(id(made), 0) + 1

    def drop(self, made: Any) -> bool:
        """Take a hold back, and tell whether no other tenant has it."""
        with self._lock:
            return self._drop(made)

    def settle(self, tenant: Tenant[T], instance: T) -> list[Tenant[T]]:
        """End a build with an instance, whose `made` is held, and give the evicted tenants."""
        with self._lock:
            tenant.instance = instance
            self._refused.pop(tenant.values, None)
            self._built += 1
            if not tenant.users:  # those that waited for it have left
                self._rest(tenant)
            evicted = self._trim()
        tenant.outcome.set_result(instance)
        return evicted

    def refuse(self, tenant: Tenant[T], failure: Failure | None, seconds: float | None = None) -> bool:
        """End a build without an instance.

        Args:
            tenant: What was to be built.
            failure: What went wrong; None where the factory gave no application.
            seconds: How long the tenant is refused without another build; None is as long as usual.

        Returns:
            Whether it failed in the same way the last time.
        """
        if seconds is None:
            seconds = self.limits.refused_seconds if failure is None else _PAUSE
        with self._lock:
            del self._tenants[tenant.values]
            earlier = self._refused.pop(tenant.values, None)
            tenant.since = self._clock() + seconds
            self._refused[tenant.values] = tenant
            if len(self._refused) > _REMEMBERED:
                self._refused.popitem(last=False)
        tenant.outcome.set_result(failure)
        last = earlier.outcome.result() if earlier else None
        return isinstance(last, Failure) and failure is not None and last.text == failure.text

    def begin_watch(self) -> bool:
        """Return whether the caller has to call `expire` now, and again after each pause that it returns."""
        with self._lock:
            begins = bool(self.limits.idle_seconds and self._built and not self._is_watched)
            self._is_watched = self._is_watched or begins
            return begins

    def expire(self) -> tuple[list[Tenant[T]], float | None]:
        """Evict what was idle for too long; give that, and the seconds until the next look, None for no more looks."""
        evicted: list[Tenant[T]] = []
        with self._lock:
            now = self._clock()
            while self._idle and (oldest := next(iter(self._idle.values()))).since + self.limits.idle_seconds <= now:
                self._evict(oldest, evicted)
            if not self._built:
                self._is_watched = False
                return evicted, None
            since = next(iter(self._idle.values())).since if self._idle else now
            return evicted, min(since + self.limits.idle_seconds - now, _LONGEST)

    def drain(self) -> list[Tenant[T]]:
        """Evict all that is built, even what is in use."""
        evicted: list[Tenant[T]] = []
        with self._lock:
            for tenant in list(self._tenants.values()):
                if tenant.instance is not None:
                    self._evict(tenant, evicted)
            self._is_watched = False
        return evicted

    # With the lock held.

    def _rest(self, tenant: Tenant[T]) -> None:
        tenant.since = self._clock()
        self._idle[tenant.values] = tenant

    def _trim(self) -> list[Tenant[T]]:
        evicted: list[Tenant[T]] = []
        while self._built > self.limits.max_instances and self._idle:
            self._evict(next(iter(self._idle.values())), evicted)
        return evicted

    def _evict(self, tenant: Tenant[T], evicted: list[Tenant[T]]) -> None:
        del self._tenants[tenant.values]
        self._idle.pop(tenant.values, None)
        self._built -= 1
        if tenant.instance is not None and self._drop(tenant.instance.made):
            evicted.append(tenant)

    def _drop(self, made: Any) -> bool:
        self._holders[id(made)] -= 1
        if self._holders[id(made)]:
            return False
        del self._holders[id(made)]
        return True
