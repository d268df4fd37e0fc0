"""What this process tells the server about itself: reads from memory added up, and what it serves.

Counting is two instructions under a lock and never waits, fails or grows without bound. Sending is the hub's job; a
report that could not be delivered is sent again with the same ids, so that nothing counts twice.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeAlias

from ._fork import survives_fork
from ._settings import API_PATH, USER_AGENT
from ._snapshot import Snapshot
from ._wire import Request, read_error, retry_wait
from .errors import ApiError, Xr2Error

TELEMETRY_PATH = f"{API_PATH}/telemetry"
FLUSH_EVERY, BEAT_EVERY, LEAST_PAUSE = 10.0, 30.0, 1.0
MOST_EVENTS = 1000
MOST_TOTALS = 10_000
"""Different (prompt, version, label, variant) that may wait for a server that is away."""
MOST_TOUCHED = 1000
"""Copies that may wait to be added up; with more of them, that is done where they are read."""
GIVE_UP_AFTER = 6 * 86_400.0
"""Seconds after which a report is dropped: the server refuses events of more than seven days ago."""
PAUSE_FIRST, PAUSE_CAP = 1.0, 60.0
_clock = time.perf_counter_ns
SDK = USER_AGENT.replace("xr2-python/", "python/")

Read = tuple[str, int | None, str | None, str | None]
"""Prompt, version, label, variant."""
State: TypeAlias = "tuple[int | None, int, bool]"
"""The revision (none where no bundle is held), how many prompts are in use, whether a stream is open."""
Serving = Callable[[set[tuple[str, str]]], list[dict[str, Any]]]
"""What is served now, of the (label, prompt) that were read."""


class Tally:
    """Counts reads, and how long they took."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.dropped = 0
        self._touched: list[Snapshot] = []
        self._sums: dict[Read, tuple[int, int]] = {}
        survives_fork(self)

    def count(self, snapshot: Snapshot, started_ns: int) -> None:
        """One more read of this copy, begun at this ``time.perf_counter_ns()``."""
        spent = _clock() - started_ns
        with self.lock:
            snapshot.spent += spent
            reads = snapshot.reads = snapshot.reads + 1
            if reads == 1:
                self._touched.append(snapshot)
                if len(self._touched) >= MOST_TOUCHED:
                    self._add_up()

    def _add_up(self) -> None:
        """Let go of the copies: numbers do not keep texts in memory that nobody needs any more."""
        for snapshot in self._touched:
            if not add(self._sums, _read_of(snapshot), snapshot.reads, snapshot.spent):
                self.dropped += snapshot.reads
            snapshot.reads = snapshot.spent = 0
        self._touched.clear()

    def collect(self) -> list[tuple[Read, int, int]]:
        """What was read since the last time, how often, and the nanoseconds that took."""
        with self.lock:
            self._add_up()
            sums, self._sums = self._sums, {}
        return [(read, count, spent) for read, (count, spent) in sums.items()]

    def after_fork(self) -> None:
        """The parent tells what was read before."""
        self.collect()


@dataclass
class _Batch:
    events: list[dict[str, Any]]
    made_at: float


@dataclass
class Reporter:
    """Decides when to report, and what. Only one report is under way at a time."""

    tally: Tally
    now: float
    instance: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self._dropped = 0
        self._totals: dict[Read, tuple[int, int]] = {}
        self._used: set[tuple[str, str]] = set()
        self._batch: _Batch | None = None
        self._failures = 0
        self._not_before = self.now
        self._flush_at = self.now + FLUSH_EVERY * random.uniform(0.5, 1)
        self._beat_at = self.now
        self._told: State | None = None

    def due_at(self, state: State) -> float:
        """When to send next; ``state`` is what the server should know at once, once there is a bundle."""
        if state[0] is None:
            return max(self._flush_at, self._not_before)
        wanted = min(self._flush_at, self._beat_at)
        if state != self._told:
            wanted = self.now
        return max(wanted, self._not_before)

    def note_used(self, label: str, prompt_id: str) -> None:
        """This prompt is in use here, from whichever place it comes."""
        if len(self._used) < MOST_EVENTS:
            self._used.add((label, prompt_id))

    @property
    def used(self) -> int:
        """How many prompts are in use."""
        return len(self._used)

    def next(
        self, revision: int | None, serving: Serving, now: float, *, stream: bool = False, flush: bool = False
    ) -> Request:
        """The report to send now."""
        self._collect()
        if now >= self._flush_at or flush:
            self._flush_at = now + FLUSH_EVERY
            self._make_batch()
        body: dict[str, Any] = {"instance": self.instance, "sdk": SDK, "stream": stream}
        if revision is not None:
            body["revision"] = revision
        if self._used:
            body["serving"] = serving(self._used)
        body["events"] = self._batch.events if self._batch else []
        self._told = (revision, len(self._used), stream)
        self._beat_at, self._not_before = now + BEAT_EVERY * random.uniform(0.9, 1), now + LEAST_PAUSE
        return Request("POST", TELEMETRY_PATH, json=body)

    def sent(self, now: float) -> None:
        """The report arrived."""
        full = self._batch is not None and len(self._batch.events) == MOST_EVENTS
        self._batch, self._failures = None, 0
        if full:
            self._flush_at = now

    def failed(self, error: Xr2Error, now: float) -> None:
        """The report did not arrive; it is sent again later, unless the server will never take it."""
        refused = isinstance(error, ApiError) and error.status in (400, 413, 415, 422)
        if self._batch and (refused or time.time() - self._batch.made_at > GIVE_UP_AFTER):
            self._dropped += len(self._batch.events)
            self._batch = None
        self._told = None
        pause = min(PAUSE_CAP, PAUSE_FIRST * 2 ** min(self._failures, 8)) * random.uniform(0.5, 1)
        self._failures += 1
        self._not_before = now + max(pause, retry_wait(error))

    @property
    def failing(self) -> bool:
        """Whether the last report did not arrive."""
        return self._failures > 0

    @property
    def unsent(self) -> bool:
        """Whether there are reads the server does not know of."""
        self._collect()
        return self._batch is not None or bool(self._totals)

    @property
    def dropped(self) -> int:
        """How many reads, or events, the server will never know of."""
        return self._dropped + self.tally.dropped

    def _collect(self) -> None:
        for read, count, spent in self.tally.collect():
            prompt, _, label, _ = read
            if label is not None:
                self.note_used(label, prompt)
            if not add(self._totals, read, count, spent):
                self._dropped += count

    def _make_batch(self) -> None:
        if self._batch is not None or not self._totals:
            return
        at = rfc3339(time.time())
        reads = list(self._totals)[:MOST_EVENTS]
        events = [_event(read, *self._totals.pop(read), at) for read in reads]
        self._batch = _Batch(events, time.time())


def add(totals: dict[Read, tuple[int, int]], read: Read, count: int, spent: int) -> bool:
    """Add to the total of a read; False where there are too many different ones."""
    counted, taken = totals.get(read, (0, 0))
    if counted == 0 and len(totals) >= MOST_TOTALS:
        return False
    totals[read] = (counted + count, taken + spent)
    return True


def served(prompt_id: str, label: str, snapshot: Snapshot) -> dict[str, Any]:
    """A prompt that is in use, as reports name it."""
    since = rfc3339(snapshot.since)
    return {"prompt": prompt_id, "label": label, "version": snapshot.data.get("version"), "since": since}


def rfc3339(at: float) -> str:
    """A time as xr2 writes it."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_receipt(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """The answer to a report, or the error it is."""
    if not 200 <= status < 300:
        raise read_error(status, headers, body)


def _read_of(snapshot: Snapshot) -> Read:
    data = snapshot.data
    test = data.get("ab_test")
    variant = test.get("variant") if isinstance(test, dict) else None
    return str(data.get("id") or data.get("slug")), data.get("version"), data.get("label"), variant


def _event(read: Read, count: int, spent: int, at: str) -> dict[str, Any]:
    prompt, version, label, variant = read
    return {
        "id": str(uuid.uuid4()), "type": "delivery", "prompt": prompt, "version": version, "label": label,
        "variant": variant, "at": at, "count": count,
        "latency_us": round(spent / count / 1000, 3),
    }  # fmt: skip
