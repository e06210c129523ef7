"""The pool of threads behind the bridge."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

from multiserve.threads import ThreadPool


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
        assert done.acquire(timeout=5)
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
        idle.put(idle.get(timeout=5))  # the thread is idle only a moment after its job


def test_jobs_at_the_same_time_get_threads_of_their_own_up_to_the_size() -> None:
    barrier = threading.Barrier(3)
    assert run_all(ThreadPool(3, "three"), 9, lambda: barrier.wait(5) and None) == {"three-1", "three-2", "three-3"}


def test_jobs_that_wait_run_in_the_order_in_which_they_came() -> None:
    pool = ThreadPool(1, "order")
    order: list[int] = []
    done = threading.Event()
    for number in range(100):
        pool.submit(lambda number=number: order.append(number))  # type: ignore[misc]
    pool.submit(done.set)
    assert done.wait(5)
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
