"""Whether the server is away, and when to try it again. In an outage nobody waits for it."""

from __future__ import annotations

import random

from ._wire import retry_wait

FIRST, CAP = 0.25, 2.0


class Breaker:
    """Counts failures in a row."""

    def __init__(self) -> None:
        self._failures = 0
        self._retry_at = float("-inf")
        self.error: BaseException | None = None

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def must_wait(self, now: float) -> bool:
        """Whether it is too soon to try again."""
        return self._failures > 0 and now < self._retry_at

    def failed(self, error: BaseException, now: float) -> bool:
        """Note a failure; True where it is the first."""
        self._failures += 1
        self.error = error
        wait = min(CAP, FIRST * 2 ** min(self._failures - 1, 8)) * random.uniform(0.75, 1)
        self._retry_at = now + max(wait, retry_wait(error))
        return self._failures == 1

    def succeeded(self) -> None:
        """The server is there."""
        self._failures, self._retry_at = 0, float("-inf")
