"""The thread that does what is due: bundles, polling, reports, the disk, and hanging up on a silent stream."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from ._feed import refuses_the_key
from ._filelock import Busy
from ._table import Table
from ._telemetry import read_receipt
from .errors import NotFound, Xr2Error

if TYPE_CHECKING:
    from ._hub import Hub

POLL_EVERY = 5.0
"""Seconds between two looks at the bundle while no stream is to be had."""
RECHECK_EVERY = 3600.0
"""Seconds after which a bundle is compared once more although the stream vouches for it."""
RETRY_FIRST, RETRY_CAP = 0.5, 30.0
STREAM_PATIENCE = 2.0
"""Seconds that a child process gives its stream before it fetches a bundle."""
SAVE_AFTER = 2.0
"""Seconds after a change before the disk is written, so that many changes cost one file."""
NO_TELEMETRY_FOR = 300.0
LAST_REPORT = 2.0
"""Seconds for the last report at the end."""
NEVER = float("inf")
log = logging.getLogger("xr2")


class Keeper:
    """See the module's text."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._load_at: dict[str, float] = {}
        self._recheck_at: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._save_at = NEVER
        self._saving = threading.Lock()
        self._reporting = threading.Lock()
        self._report_from = 0.0

    @property
    def running(self) -> bool:
        """Whether the thread has been started."""
        return self._thread is not None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="xr2-keeper", daemon=True)
        with contextlib.suppress(RuntimeError):  # the interpreter is shutting down
            self._thread.start()

    def wake(self) -> None:
        """Something may be due earlier than was thought."""
        self._wake.set()

    def close(self, patience: float) -> None:
        """Stop, tell what is left to tell, save what is left to save."""
        self._closed = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(timeout=patience)
        if thread is not None:
            self._last_report()
            # Not only when a save is due: a worker may have been given one, and what has just come is not noted yet.
            self._save()

    # ---- what happened ----

    def loaded(self, table: Table, *, complete: bool) -> None:
        """A bundle arrived; one that is not new enough is fetched again soon."""
        now = time.monotonic()
        self._failures[table.label] = 0
        self._recheck_at[table.label] = now + RECHECK_EVERY * random.uniform(0.5, 1)
        self._load_at[table.label] = now + POLL_EVERY * random.uniform(0.8, 1.2)
        if not complete:
            self.load_within(table, 0.2, 1.2)
        self.changed()

    def failed(self, table: Table) -> None:
        """No bundle could be had: again, later each time."""
        failures = self._failures[table.label] = self._failures.get(table.label, 0) + 1
        most = min(RETRY_CAP, RETRY_FIRST * 2 ** min(failures, 8))
        self._load_at[table.label] = time.monotonic() + random.uniform(most / 4, most)
        self.wake()

    def await_stream(self) -> None:
        """The stream is about to bring what is missing; a bundle only if it does not."""
        for label in self._hub.tables:
            self._load_at.setdefault(label, time.monotonic() + STREAM_PATIENCE * random.uniform(0.5, 1))

    def stream_lost(self) -> None:
        """From now on the bundles are polled."""
        for label in self._hub.tables:
            if not self._failures.get(label):
                self._load_at[label] = time.monotonic() + POLL_EVERY * random.uniform(0.2, 1)
        self.wake()

    def forget(self, table: Table) -> None:
        """There is no bundle to be had."""
        self._load_at.pop(table.label, None)
        self._recheck_at.pop(table.label, None)

    def may_load(self, table: Table, now: float) -> bool:
        """Whether a caller's need is reason enough to fetch a bundle that could not be had before."""
        return not self._failures.get(table.label) or now >= self._load_at.get(table.label, now)

    def load_within(self, table: Table, least: float, most: float) -> None:
        """Fetch a bundle soon, not all clients at the same moment."""
        at = time.monotonic() + random.uniform(least, most)
        self._load_at[table.label] = min(at, self._load_at.get(table.label, NEVER))
        self.wake()

    def changed(self) -> None:
        """What is in memory differs from what is on the disk."""
        if self._hub.disk is not None and self._save_at == NEVER:
            self._save_at = time.monotonic() + SAVE_AFTER
            self.wake()

    # ---- what is due ----

    def _run(self) -> None:
        while not self._closed:
            self._wake.clear()
            try:
                due = self.tick(time.monotonic())
            except Exception:
                log.exception("xr2: the keeper stumbled")
                due = time.monotonic() + 1.0
            self._wake.wait(max(0.0, min(due - time.monotonic(), 60.0)))

    def tick(self, now: float) -> float:
        """Do what is due; return when to look again."""
        return min(self._silence(now), self._loads(now), self._report(now), self._disk(now))

    def _silence(self, now: float) -> float:
        silent = self._hub.silent_since()
        if silent is None:
            return NEVER
        since, limit = silent
        if now - since > limit:
            log.debug("xr2: the stream has been silent for %.1f s", now - since)
            self._hub.stream.hang_up()
            return now + limit
        return since + limit + 0.01

    def _loads(self, now: float) -> float:
        hub, due = self._hub, NEVER
        for label, table in hub.tables.items():
            if not hub.usable(table, now):
                continue
            # What was to be fetched because the stream said nothing need not be, once it vouches for the table; except
            # that it does not tell of a label on the disk which the key may no longer read.
            vouched = table.live and not table.from_disk
            at = NEVER if vouched else self._load_at.get(label, now)
            at = min(at, self._recheck_at.get(label, NEVER))
            if now >= at:
                self._load_at[label] = self._recheck_at[label] = at = now + POLL_EVERY
                hub.load(table)
            due = min(due, at)
        return due

    def _report(self, now: float) -> float:
        hub, reporter = self._hub, self._hub.reporter
        if reporter is None:
            return NEVER
        due = max(reporter.due_at((hub.revision, reporter.used, hub.in_touch)), self._report_from)
        if now < due:
            return due
        if self._reporting.acquire(blocking=False):
            hub.workers.submit(self._send_report)
        return now + 1.0

    def _send_report(self) -> None:
        try:
            self._send(None)
        finally:
            self._reporting.release()
            self.wake()

    def _send(self, timeout: float | None) -> None:
        hub, reporter = self._hub, self._hub.reporter
        if reporter is None:
            return
        request = reporter.next(
            hub.revision, hub.serving, time.monotonic(), stream=hub.in_touch, flush=timeout is not None
        )
        try:
            hub.wire.call(request, read_receipt, timeout, 0)
        except Xr2Error as error:
            reporter.failed(error, time.monotonic())
            if isinstance(error, NotFound):
                self._report_from = time.monotonic() + NO_TELEMETRY_FOR
            elif refuses_the_key(error) and error.status == 401:
                hub.refused(error)
        else:
            reporter.sent(time.monotonic())

    def _last_report(self) -> None:
        """At the end of the program: what was counted, within two seconds, or not at all."""
        ends_at = time.monotonic() + LAST_REPORT
        while (left := ends_at - time.monotonic()) > 0 and self._reporting.acquire(timeout=left):
            try:
                if not self._has_more():
                    return
                self._send(max(0.05, ends_at - time.monotonic()))
            finally:
                self._reporting.release()

    def _has_more(self) -> bool:
        hub, reporter = self._hub, self._hub.reporter
        if reporter is None or hub.outage.failing or reporter.failing:
            return False
        return time.monotonic() >= self._report_from and reporter.unsent

    def _disk(self, now: float) -> float:
        if now < self._save_at:
            return self._save_at
        self._save_at = NEVER
        self._hub.workers.submit(self._save)
        return NEVER

    def _save(self) -> None:
        disk = self._hub.disk
        if disk is None:
            return
        with self._saving:
            try:
                disk.save(self._hub.holding())
            except Busy as error:
                log.debug("xr2: %s", error)
                self.changed()
