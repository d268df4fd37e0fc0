"""A handful of daemon threads that fetch, so that callers can stop waiting when they have waited enough."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

IDLE_SECONDS = 30.0
log = logging.getLogger("xr2")


class Workers:
    """Runs jobs on at most ``most`` threads; they come when there is work and go when there is none."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self.renew()

    def renew(self) -> None:
        """Begin anew in a child process, where the parent's threads do not exist."""
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._closed = False

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job soon. Where no thread can be had (interpreter shutting down), run it here and now."""
        with self._changed:
            if not self._closed:
                self._jobs.append(job)
                if self._idle >= len(self._jobs):
                    self._changed.notify()
                    return
                if len(self._threads) >= self._most or self._start():
                    return
                if self._threads:
                    return
                self._jobs.remove(job)
        job()

    def close(self, patience: float) -> None:
        """Let the threads go; wait a little for what they are doing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            threads = self._threads - {threading.current_thread()}
        ends_at = time.monotonic() + patience
        for thread in threads:
            thread.join(max(0.0, ends_at - time.monotonic()))

    def _start(self) -> bool:
        thread = threading.Thread(target=self._work, name="xr2-fetch", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._threads.add(thread)
        return True

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                log.exception("xr2: a background job failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._jobs:
                if self._closed:
                    self._threads.discard(threading.current_thread())
                    return None
                self._idle += 1
                notified = self._changed.wait(IDLE_SECONDS)
                self._idle -= 1
                if not notified and not self._jobs:
                    self._threads.discard(threading.current_thread())
                    return None
            return self._jobs.popleft()
