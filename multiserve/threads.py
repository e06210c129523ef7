"""A bounded pool of daemon threads: started as they are needed, and never waited for when the process ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class ThreadPool:
    """Runs jobs in at most `size` threads; more jobs wait in the order in which they came.

    The threads are daemons, unlike those of `concurrent.futures`: an application that never returns cannot keep a
    worker from ending.
    """

    def __init__(self, size: int, name: str) -> None:
        """Start no thread yet: a server may still fork."""
        self.size = size
        self.name = name
        self._jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._started = 0
        self._idle: SimpleQueue[None] = SimpleQueue()  # an item for each idle thread: a semaphore in C

    def submit(self, job: Callable[[], object]) -> None:
        """Run `job` in a thread; only one thread may submit. What the job raises is its own affair."""
        self._jobs.put(job)
        if self._idle.qsize():
            self._idle.get_nowait()  # nobody else takes from it
        elif self._started < self.size:
            self._started += 1
            threading.Thread(target=self._work, name=f"{self.name}-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            job()
            del job  # or the last request stays in memory while the thread is idle
            self._idle.put(None)
