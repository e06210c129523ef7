"""The bookkeeping of tenants, without threads: simulated requests, builds and time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from multiserve.mounts.tenants import registry as module
from multiserve.mounts.tenants.registry import CacheLimits, Failure, Instance, Instances, Tenant


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Made:
    """What a factory made."""


def keep(max_instances: int = 2, idle_seconds: float = 0, refused_seconds: float = 30) -> tuple[Instances[Any], Clock]:
    clock = Clock()
    return Instances(CacheLimits(max_instances, idle_seconds, refused_seconds), clock), clock


def build(instances: Instances[Any], name: str, made: Any = None) -> tuple[Tenant[Any], list[str]]:
    """Build a tenant that nobody has; give it, in use, and the names of those that this evicts."""
    tenant, must_build = instances.claim((name,))
    assert must_build
    instance = Instance(made or Made(), None)
    instances.hold(instance.made)
    return tenant, names(instances.settle(tenant, instance))


def names(evicted: list[Tenant[Any]]) -> list[str]:
    return [tenant.values[0] for tenant in evicted]


def test_the_least_recently_used_is_evicted() -> None:
    instances, _ = keep(max_instances=2)
    for name in "ab":
        instances.release(build(instances, name)[0])
    instances.release(instances.claim(("a",))[0])
    assert build(instances, "c")[1] == ["b"]


def test_what_is_in_use_is_evicted_only_after_its_last_use() -> None:
    instances, _ = keep(max_instances=1)
    a, _ = build(instances, "a")
    instances.claim_again(a)
    b, evicted = build(instances, "b")
    assert evicted == []
    assert instances.release(a) == []
    assert names(instances.release(a)) == ["a"]
    assert instances.release(b) == []
    assert instances.claim(("b",)) == (b, False)


def test_what_is_being_built_evicts_nothing_before_it_is_there() -> None:
    instances, _ = keep(max_instances=1)
    instances.release(build(instances, "a")[0])
    for number in range(5):  # made-up names do not drive out those that exist
        tenant, _ = instances.claim((f"made up {number}",))
        instances.refuse(tenant, None)
    assert instances.claim(("a",))[1] is False


REFUSALS = [
    pytest.param(None, 30, id="no application"),
    pytest.param(Failure("no"), 5, id="a failure"),
]


@pytest.mark.parametrize(("outcome", "seconds"), REFUSALS)
def test_a_refused_name_is_tried_again_after_a_while(outcome: Failure | None, seconds: float) -> None:
    instances, clock = keep(refused_seconds=30)
    tenant, _ = instances.claim(("a",))
    waiting, must_build = instances.claim(("a",))
    assert (waiting, must_build) == (tenant, False)
    instances.refuse(tenant, outcome)
    clock.now += seconds - 0.001
    again, must_build = instances.claim(("a",))
    assert (again.outcome.result(0), must_build) == (outcome, False)
    clock.now += 0.001
    assert instances.claim(("a",))[1] is True


SAME = [
    # the outcomes of one build after the other -> whether the last one is a failure like the one before
    pytest.param([Failure("x")], False, id="the first"),
    pytest.param([Failure("x"), Failure("x", "details")], True, id="the same"),
    pytest.param([Failure("x"), Failure("y")], False, id="another"),
    pytest.param([None, Failure("x")], False, id="after none"),
    pytest.param([Failure("x"), None], False, id="none after one"),
    pytest.param([Failure("x"), None, Failure("x")], False, id="one after none after one"),
    pytest.param([Failure("x"), "built", Failure("x")], False, id="it worked in between"),
]


@pytest.mark.parametrize(("outcomes", "same"), SAME)
def test_a_failure_is_known_if_it_is_that_of_the_last_time(outcomes: list[Any], same: bool) -> None:
    instances, clock = keep(idle_seconds=1)
    told = None
    for outcome in outcomes:
        if outcome == "built":
            instances.release(build(instances, "a")[0])
            clock.now += 1
            assert names(instances.expire()[0]) == ["a"]
        else:
            told = instances.refuse(instances.claim(("a",))[0], outcome)
        clock.now += 60
    assert told is same


def test_the_memory_of_refused_names_is_bounded_and_forgets_the_oldest() -> None:
    instances, _ = keep()
    for number in range(1500):
        instances.refuse(instances.claim((str(number),))[0], None)
    assert len(instances._refused) == 1024  # noqa: SLF001 (the size is the point)
    assert instances.claim(("475",))[1] is True
    assert instances.claim(("476",))[1] is False


def test_what_is_idle_is_evicted_when_its_time_has_come() -> None:
    instances, clock = keep(idle_seconds=10)
    a, _ = build(instances, "a")
    assert instances.begin_watch()
    assert not instances.begin_watch()  # one is enough
    b, _ = build(instances, "b")
    instances.release(a)
    clock.now += 4
    instances.release(b)
    assert instances.expire() == ([], 6)
    clock.now += 6
    evicted, pause = instances.expire()
    assert (names(evicted), pause) == (["a"], 4)
    instances.claim(("b",))
    clock.now += 1000
    assert instances.expire() == ([], 10)  # in use is not idle
    assert names(instances.release(b)) == []
    clock.now += 10
    evicted, pause = instances.expire()
    assert (names(evicted), pause) == (["b"], None)
    assert not instances.begin_watch()  # there is nothing to watch
    build(instances, "c")
    assert instances.begin_watch()


@pytest.mark.parametrize("idle_seconds", [1e12, float("inf")])
def test_no_pause_is_too_long_to_sleep(idle_seconds: float) -> None:
    instances, _ = keep(idle_seconds=idle_seconds)
    build(instances, "a")
    assert instances.expire() == ([], 3600)


def test_what_several_tenants_have_is_handed_over_with_the_last_of_them() -> None:
    instances, _ = keep(max_instances=1)
    made = Made()
    instances.release(build(instances, "a", made)[0])
    instances.release(build(instances, "b", made)[0])
    assert instances.claim(("a",))[1] is True  # it was evicted, but not what it had
    assert build(instances, "c")[1] == ["b"]


def test_drain_hands_over_everything_even_what_is_in_use() -> None:
    instances, clock = keep(max_instances=3, idle_seconds=1)
    a, _ = build(instances, "a")
    instances.release(build(instances, "b")[0])
    building, _ = instances.claim(("c",))
    assert instances.begin_watch()
    assert sorted(names(instances.drain())) == ["a", "b"]
    assert instances.release(a) == []
    build(instances, "d")
    assert instances.begin_watch()  # all over again
    clock.now += 1
    assert instances.expire() == ([], 1)
    assert instances.claim(("a",))[1] is True
    assert instances.claim(("c",)) == (building, False)


class Schedule(RuleBasedStateMachine):
    """Any interleaving of requests, builds, evictions and time, over a few tenants."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.instances: Instances[Instance] = Instances(CacheLimits(2, 10, 7), self.clock)
        self.building: list[Tenant[Instance]] = []
        self.using: list[Tenant[Instance]] = []  # a tenant for each request that waits for it or uses it
        self.shared = [Made(), Made()]
        self.open: list[Made] = []

    @rule(name=st.sampled_from("abcdef"))
    def claim(self, name: str) -> None:
        tenant, must_build = self.instances.claim((name,))
        if must_build:
            assert (name,) not in [each.values for each in self.building]
            self.building.append(tenant)
        elif tenant.outcome.done() and not isinstance(tenant.outcome.result(), Instance):
            assert self.clock.now < tenant.since
            return
        self.using.append(tenant)

    @precondition(lambda self: self.building)
    @rule(data=st.data(), which=st.sampled_from([None, None, 0, 1]), starts=st.booleans())
    def build(self, data: Any, which: int | None, starts: bool) -> None:
        tenant = self._take(data, self.building)
        made = Made() if which is None else self.shared[which]
        if made not in self.open:
            self.open.append(made)
        self.instances.hold(made)
        if starts:
            self._close(self.instances.settle(tenant, Instance(made, None)))
            return
        if self.instances.drop(made):
            self.open.remove(made)
        self._refuse(tenant, Failure("the start-up failed"))

    @precondition(lambda self: self.building)
    @rule(data=st.data(), failure=st.sampled_from([None, Failure("x"), Failure("y")]))
    def refuse(self, data: Any, failure: Failure | None) -> None:
        self._refuse(self._take(data, self.building), failure)

    @precondition(lambda self: self.using)
    @rule(data=st.data())
    def release(self, data: Any) -> None:
        self._close(self.instances.release(self._take(data, self.using)))

    @precondition(lambda self: any(tenant.instance for tenant in self.using))
    @rule(data=st.data())
    def claim_again(self, data: Any) -> None:
        tenant = data.draw(st.sampled_from([tenant for tenant in self.using if tenant.instance]))
        self.instances.claim_again(tenant)
        self.using.append(tenant)

    @rule(seconds=st.sampled_from([1, 5, 10]))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule()
    def expire(self) -> None:
        self._close(self.instances.expire()[0])
        assert all(self.clock.now < tenant.since + 10 for tenant in self._built() if tenant not in self.using)

    def _take(self, data: Any, tenants: list[Tenant[Instance]]) -> Tenant[Instance]:
        return tenants.pop(data.draw(st.integers(0, len(tenants) - 1)))

    def _refuse(self, tenant: Tenant[Instance], failure: Failure | None) -> None:
        self.instances.refuse(tenant, failure)
        self.using = [each for each in self.using if each is not tenant]  # all who waited have their answer

    def _close(self, evicted: list[Tenant[Instance]]) -> None:
        for tenant in evicted:
            assert tenant.instance is not None
            self.open.remove(tenant.instance.made)  # raises if it is closed already

    def _built(self) -> list[Tenant[Instance]]:
        return [tenant for tenant in self.instances._tenants.values() if tenant.instance]  # noqa: SLF001

    @invariant()
    def nothing_in_use_is_closed(self) -> None:
        assert all(tenant.instance.made in self.open for tenant in self.using if tenant.instance)

    @invariant()
    def what_is_open_is_what_the_tenants_have(self) -> None:
        assert set(self.open) == {tenant.instance.made for tenant in self._built() if tenant.instance}

    @invariant()
    def no_more_are_kept_than_may_be_unless_all_are_in_use(self) -> None:
        built = self._built()
        assert len(built) <= 2 or all(tenant in self.using for tenant in built)

    @invariant()
    def the_memory_of_refused_names_is_bounded(self) -> None:
        assert len(self.instances._refused) <= 3  # noqa: SLF001 (the size is the point)

    def teardown(self) -> None:
        for tenant in self.building:
            self.instances.refuse(tenant, None)
        for tenant in self.using:
            self._close(self.instances.release(tenant))
        assert len(self._built()) <= 2
        self._close(self.instances.drain())
        assert self.open == []
        assert self.instances._holders == {}  # noqa: SLF001 (nothing else shows a leak)


def test_any_interleaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 3)
    case: Any = Schedule.TestCase("runTest")
    case.settings = settings(deadline=None, max_examples=150, stateful_step_count=40)
    case.runTest()
