"""A bounded pool of daemon threads: started as they are needed, and never waited for when the process ends."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar

log = logging.getLogger("multiserve")

_AT_ONCE = 0.01  # seconds that a server may need by itself: whatever takes longer is a slow client's fault
_Item = TypeVar("_Item")


def waiting_for_client() -> contextlib.AbstractContextManager[None]:
    """Let another thread run jobs in place of the current one, which only waits for a client meanwhile."""
    thread = threading.current_thread()
    return thread.pool.one_fewer() if isinstance(thread, _Thread) else contextlib.nullcontext()


def take_from_client(queue: SimpleQueue[_Item]) -> _Item:
    """Take an item that may depend on a client, which may be slow."""
    try:
        return queue.get(timeout=_AT_ONCE)
    except Empty:
        with waiting_for_client():
            return queue.get()


class ThreadPool:
    """Runs jobs in at most `size` threads; more jobs wait in the order in which they came.

    A thread that only waits for a client does not count meanwhile: slow clients keep no other client's job waiting.
    The threads are daemons, unlike those of `concurrent.futures`: an application that never returns cannot keep a
    worker from ending.
    """

    def __init__(self, size: int, name: str) -> None:
        """Start no thread yet: a server may still fork."""
        self.size = size
        self.name = name
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()  # None ends the thread that takes it
        self._idle: SimpleQueue[None] = SimpleQueue()  # an item for each idle thread: a semaphore in C
        self._lock = threading.Lock()  # for the two numbers
        self._started = 0
        self._limit = size  # how many threads there may be: more than `size` while some of them wait for clients

    def submit(self, job: Callable[[], object]) -> None:
        """Run `job` in a thread; only one thread may submit. What the job raises is logged, and the thread goes on."""
        self._jobs.put(job)
        if not self._take_idle():
            self._start()

    @contextlib.contextmanager
    def one_fewer(self) -> Iterator[None]:
        """Do not count the current thread: another one may run jobs in its place.

        Afterwards there may be one thread too many, for as long as the job of one of them takes: to wait here for that
        could block for ever, as the application may hold a lock. A pool of one thread stays at one, as its application
        may count on being alone.
        """
        if self.size == 1:
            yield
            return
        with self._lock:
            self._limit += 1
        if self._jobs.qsize():
            self._start()
        try:
            yield
        finally:
            self._end_one_too_many()

    def _start(self) -> None:
        with self._lock:
            if self._started >= self._limit:
                return
            self._started += 1
            name = f"{self.name}-{self._started}"
        try:
            _Thread(self, name, self._work).start()
        except RuntimeError:  # the system has no more threads
            with self._lock:
                self._started -= 1
                if not self._started:
                    raise

    def _end_one_too_many(self) -> None:
        with self._lock:
            self._limit -= 1
            if self._started <= self._limit:
                return
            self._started -= 1
        self._jobs.put(None)

    def _take_idle(self) -> bool:
        try:
            if self._idle.qsize():  # an exception costs more than this question
                self._idle.get_nowait()
                return True
        except Empty:
            pass
        return False

    def _work(self) -> None:
        while job := self._jobs.get():
            try:
                job()
            except BaseException:  # such as SystemExit: the thread would be counted for ever, and run nothing
                log.exception("A job of the threads %s has failed", self.name)
            del job  # or the last request stays in memory while the thread is idle
            self._idle.put(None)
        self._take_idle()  # its own item, unless that stands for a job that the next idle thread takes


class _Thread(threading.Thread):
    """A thread of a pool."""

    def __init__(self, pool: ThreadPool, name: str, work: Callable[[], None]) -> None:
        super().__init__(target=work, name=name, daemon=True)
        self.pool = pool
