"""The pool of threads behind the bridge."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from multiserve.dispatch.threads import ThreadPool, waiting_for_client


def run_all(pool: ThreadPool, jobs: int, act: Callable[[], None] = lambda: None) -> set[str]:
    """Run so many jobs, and give the names of the threads that ran them."""
    names: set[str] = set()
    done = threading.Semaphore(0)

    def job() -> None:
        act()
        names.add(threading.current_thread().name)
        done.release()

    for _ in range(jobs):
        pool.submit(job)
    for _ in range(jobs):
        assert done.acquire(timeout=30)
    return names


def test_no_thread_is_started_before_the_first_job() -> None:
    before = threading.active_count()
    ThreadPool(4, "early")
    assert threading.active_count() == before


def test_jobs_one_after_the_other_share_a_thread() -> None:
    pool = ThreadPool(4, "one")
    idle = pool._idle  # noqa: SLF001 (there is nothing else to wait for)
    for _ in range(50):
        assert run_all(pool, 1) == {"one-1"}
        idle.put(idle.get(timeout=30))  # the thread is idle only a moment after its job


def test_jobs_at_the_same_time_get_threads_of_their_own_up_to_the_size() -> None:
    barrier = threading.Barrier(3)
    assert run_all(ThreadPool(3, "three"), 9, lambda: barrier.wait(30) and None) == {"three-1", "three-2", "three-3"}


def test_jobs_that_wait_run_in_the_order_in_which_they_came() -> None:
    pool = ThreadPool(1, "order")
    order: list[int] = []
    done = threading.Event()
    for number in range(100):
        pool.submit(lambda number=number: order.append(number))  # type: ignore[misc]
    pool.submit(done.set)
    assert done.wait(30)
    assert order == list(range(100))


def test_threads_do_not_keep_the_process_alive() -> None:
    daemons: list[bool] = []
    run_all(ThreadPool(1, "daemon"), 1, lambda: daemons.append(threading.current_thread().daemon))
    assert daemons == [True]


def test_an_idle_thread_holds_nothing_of_its_last_job() -> None:
    class Job:
        def __call__(self) -> None:
            pass

    pool, job = ThreadPool(1, "forgets"), Job()
    reference = weakref.ref(job)
    pool.submit(job)
    del job
    run_all(pool, 1)
    gc.collect()
    assert reference() is None


def test_a_thread_that_waits_for_a_client_does_not_count() -> None:
    pool = ThreadPool(2, "waits")
    go_on = threading.Event()
    waiting = threading.Semaphore(0)

    def wait() -> None:
        with waiting_for_client():
            waiting.release()
            assert go_on.wait(30)

    for _ in range(6):
        pool.submit(wait)
        assert waiting.acquire(timeout=30)
    barrier = threading.Barrier(2)
    assert len(run_all(pool, 4, lambda: barrier.wait(30) and None)) == 2
    go_on.set()


def test_jobs_that_wait_get_the_places_of_threads_that_begin_to_wait_for_clients() -> None:
    pool = ThreadPool(2, "places")
    go_on, begin = threading.Event(), threading.Event()

    def wait() -> None:
        assert begin.wait(30)
        with waiting_for_client():
            assert go_on.wait(30)

    pool.submit(wait)
    pool.submit(wait)
    done = threading.Event()
    pool.submit(done.set)
    begin.set()
    assert done.wait(30)
    go_on.set()


def test_afterwards_there_are_as_many_threads_as_before() -> None:
    pool = ThreadPool(3, "after")
    barrier = threading.Barrier(20)

    def wait() -> None:
        with waiting_for_client():
            barrier.wait(30)

    run_all(pool, 20, wait)
    end = time.monotonic() + 30
    while pool_threads("after") > 3:
        assert time.monotonic() < end
        time.sleep(0.001)
    together = threading.Barrier(3)
    run_all(pool, 30, lambda: together.wait(30) and None)
    assert pool_threads("after") == 3


def pool_threads(name: str) -> int:
    return sum(thread.name.startswith(f"{name}-") for thread in threading.enumerate())


def test_a_pool_of_one_thread_stays_at_one() -> None:
    pool = ThreadPool(1, "alone")
    running: list[int] = []
    most: list[int] = []

    def wait() -> None:
        running.append(1)
        most.append(len(running))
        with waiting_for_client():
            threading.Event().wait(0.01)
        running.pop()

    assert len(run_all(pool, 5, wait)) == 1
    assert max(most) == 1


@pytest.mark.parametrize("failure", [ValueError("wrong"), SystemExit(3)], ids=["an error", "an exit"])
def test_a_job_that_raises_is_logged_and_takes_no_thread_with_it(caplog, failure) -> None:
    def fail() -> None:
        raise failure

    pool = ThreadPool(1, "fails")
    for _ in range(3):
        pool.submit(fail)
    assert run_all(pool, 1) == {"fails-1"}
    assert [record.getMessage() for record in caplog.records] == ["A job of the threads fails has failed"] * 3
    assert {record.exc_info[1] for record in caplog.records if record.exc_info} == {failure}


def test_any_other_thread_may_wait_for_a_client() -> None:
    with waiting_for_client():
        pass


def test_where_the_system_has_no_more_threads_the_jobs_share_those_that_there_are(monkeypatch) -> None:
    pool = ThreadPool(4, "few")
    run_all(pool, 1)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert run_all(pool, 8) == {"few-1"}
