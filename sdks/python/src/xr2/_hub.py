"""What all clients of one key in a process share: one bundle per label, one stream, one report about it.

The stream's thread tells this what happens (it is the stream's :class:`Listener`), the keeper's thread does what
is due, and clients read the tables without asking anybody. The hub's lock is held for the moment of a change only,
never while something else is waited for; clients are told after it has been let go of.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from typing import Any

from ._breaker import Breaker
from ._bundle import Bundle, Loading, TooLarge, fetch_bundle, read_page
from ._disk import Disk, Holding, shelf_of, table_of
from ._feed import HEALTHY_AFTER, refuses_the_key
from ._fork import survives_fork
from ._http import Wire
from ._keeper import Keeper
from ._settings import Settings
from ._sink import Sink
from ._stream import Opening, StreamThread
from ._table import Change, Table
from ._telemetry import Reporter, Tally, served
from ._wire import is_outage
from ._workers import Workers
from .errors import BadRequest, ConnectionFailed, NotFound, ProtocolError, ServerError, Xr2Error

HEARTBEAT = 15.0
SILENT_BEATS = 3
"""Heartbeats of silence after which the stream is taken for dead."""
RESYNC_SPREAD = 1.0
"""Seconds over which clients spread their bundles after a resync."""
ASK_AGAIN_AFTER = 300.0
"""Seconds after which a server that had no bundle is asked for one again."""
GOAL_PATIENCE = 2.0
"""Seconds for the stream to replay what was missed; then a bundle is fetched."""
log = logging.getLogger("xr2")


class Hub:
    """See the module's text."""

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self.settings = settings
        self.wire = wire
        self.lock = threading.RLock()
        self.tables: dict[str, Table] = {}
        self.outage = Breaker()
        self.tally = Tally() if settings.telemetry else None
        self.disk = Disk(settings.snapshot, settings.url, settings.api_key) if settings.snapshot else None
        self.sinks: list[Sink] = []
        self.closed = False
        self._stored: dict[str, Table] = {}
        """What an earlier run left of labels that nobody has asked for yet."""
        self._has_read = self.disk is None
        self._reading: Future[None] | None = None
        self._gone: set[str] = set()
        """Labels of which nothing may be held any more, on the disk neither."""
        self._begin()
        survives_fork(self)

    def _begin(self) -> None:
        """Everything that belongs to this process alone."""
        now = time.monotonic()
        self.connected = False
        self._cut_off = False
        """The server that streams is cut off from its database, and does not hear of every change."""
        self.everything = False
        self.heartbeat = HEARTBEAT
        self.opened_at: float | None = None
        self.hello_at: float | None = None
        self.heard_at = now
        self._seen = self._applied = 0
        self._vouched = False
        self._resumed_from: int | None = None
        self._opened_for: str | None = None
        self._loading: dict[str, Loading] = {}
        self._unavailable_until: dict[str, float] = {}
        self.reporter = Reporter(self.tally, now) if self.tally is not None else None
        self.workers = Workers(4)
        self.stream = StreamThread(self, self.settings, lambda: self.wire)
        self.keeper = Keeper(self)

    def after_fork(self) -> None:
        """The child keeps the memory; threads, connections and its name are its own."""
        for table in self.tables.values():
            table.follow(connected=False, now=self.heard_at)
            table.stop_loading()
        self.wire.renew()
        self.outage = Breaker()
        everything = self.everything
        self._reading = None
        self._begin()
        self.everything = everything

    # ---- what clients call ----

    def reading(self) -> Future[None] | None:
        """The disk on its way into memory, begun by the first who asks; none where there is nothing to wait for."""
        if self._has_read:
            return None
        with self.lock:
            if self._has_read or self._reading is not None:
                return self._reading
            reading = self._reading = Future()
            reading.set_running_or_notify_cancel()  # so that nobody who gives up cancels it for the others
        self.workers.submit(lambda: self._read_disk(reading))
        return reading

    def _read_disk(self, reading: Future[None]) -> None:
        stored: dict[str, Table] = {}
        try:
            if self.disk is not None:
                stored = {shelf.label: table_of(shelf) for shelf in self.disk.load()}
        finally:
            with self.lock:
                if not self._has_read and self._reading is reading:
                    self._stored, self._has_read, self._reading = stored, True, None
            reading.set_result(None)

    def table(self, label: str) -> Table:
        """The table of a label; made when it is first asked for. Waits for the disk: see :meth:`reading`."""
        table = self.tables.get(label)
        if table is not None:
            return table
        reading = self.reading()
        if reading is not None:
            reading.result()
        with self.lock:
            table = self.tables.get(label)
            if table is None:
                table = self._stored.pop(label, None)
                table = Table(label) if table is None else table
                self.tables = {**self.tables, label: table}
        self._reopen_if_narrow()
        return table

    def start(self) -> None:
        """Start the threads, unless they run."""
        if self.closed or self.keeper.running:
            return
        with self.lock:
            if not self.closed:
                self.keeper.start()
                if self.settings.stream:
                    self.stream.start()
        if any(table.complete and not table.from_disk for table in self.tables.values()):
            # The child of a fork holds all there is to hold: its stream goes on where the parent's stood.
            self.keeper.await_stream()
            self.stream.let_loose()

    def usable(self, table: Table, now: float) -> bool:
        """Whether bundles may be had of this label."""
        return self.settings.bundle_limit > 0 and now >= self._unavailable_until.get(table.label, 0.0)

    def load(self, table: Table) -> Loading:
        """Fetch a label's bundle (or have it confirmed), once for everybody who asks meanwhile."""
        now = time.monotonic()
        with self.lock:
            loading = self._loading.get(table.label)
            if loading is not None:
                return loading
            loading = self._loading[table.label] = Loading(now)
            if not table.complete:
                table.floor = max(table.floor, self._seen)
            table.begin_loading()
        self.workers.submit(lambda: self._load(table, loading))
        return loading

    def want_everything(self) -> None:
        """Something is in use that no bundle holds: the stream must tell of all labels."""
        if not self.everything:
            with self.lock:
                self.everything = True
            self._reopen_if_narrow()
        self.stream.let_loose()

    def vouches(self) -> int | None:
        """The revision up to which the stream has told of everything; none where it does not."""
        with self.lock:
            return self._seen if self._vouched else None

    def _reopen_if_narrow(self) -> None:
        with self.lock:
            narrow = self.opened_at is not None and self._opened_for is not None and self._filter() is None
        if narrow:
            self.stream.reopen()

    def _filter(self) -> str | None:
        return next(iter(self.tables)) if len(self.tables) == 1 and not self.everything else None

    # ---- bundles ----

    def _load(self, table: Table, loading: Loading) -> None:
        try:
            landed, behind = self._fetch_and_land(table, loading)
        except TooLarge as error:
            log.warning("xr2: %s has too many prompts to hold (%s); fetching them one by one", table.label, error)
            self._no_bundle(table, loading, NotFound(f"no bundle of {table.label!r} is held", status=404))
        except Xr2Error as error:
            self._load_failed(table, loading, error)
        except BaseException as error:
            self._load_failed(table, loading, ConnectionFailed(f"a bundle could not be read: {error!r}"))
            raise
        else:
            self._load_succeeded(table, loading, landed=landed)
            if self._cut_off and not behind:
                self.stream.hang_up()  # somebody is in touch with the database again: perhaps its stream can be had
        finally:
            self.stream.let_loose()
            self.keeper.wake()

    def _fetch_and_land(self, table: Table, loading: Loading) -> tuple[bool, bool]:
        """Whether the bundle could be taken in, and whether the node it is of says that it may be out of date."""
        bundle = self._fetch(table)
        snapshots = None
        if bundle.items is not None:
            snapshots = table.prepare(bundle.items, bundle.revision or 0)
        now = time.monotonic()
        with self.lock:
            if self.closed or self._loading.get(table.label) is not loading:
                raise ConnectionFailed("the bundle came too late")
            started_at, behind = loading.started_at, bundle.behind
            if snapshots is None:
                landed = table.not_modified(bundle.revision, started_at, now, behind=behind)
            else:
                landed = table.land(bundle.revision or 0, bundle.etag, snapshots, started_at, now, behind=behind)
            table.advance(self._applied if self.connected else 0)
            table.follow(connected=self.in_touch, now=now)
        if behind and not landed:
            # As good as none: whoever is asked next may know more.
            message = f"the server at {self.settings.url} is cut off from its database, and behind what is in memory"
            raise ServerError(message, code="UNAVAILABLE")
        return landed, behind

    def _fetch(self, table: Table) -> Bundle:
        return fetch_bundle(
            lambda request: self.wire.call(request, read_page),
            table.label,
            etag=table.if_none_match,
            min_revision=table.min_revision,
            most=self.settings.bundle_limit,
        )

    def _load_succeeded(self, table: Table, loading: Loading, *, landed: bool) -> None:
        with self.lock:
            was_down = self.outage.failing
            self.outage.succeeded()
            self._gone.discard(table.label)
            self._finish(table, loading)
        self.keeper.loaded(table, complete=landed and table.complete)
        for sink in tuple(self.sinks):
            sink.table_filled(table)
        self._tell()
        loading.done.set_result(None)
        if was_down and not self.connected:
            self.stream.nudge()

    def _load_failed(self, table: Table, loading: Loading, error: Xr2Error) -> None:
        if refuses_the_key(error):
            self.refused(error, table)
        elif isinstance(error, NotFound | BadRequest):
            self._no_bundle(table, loading, error)
            return
        with self.lock:
            first = is_outage(error) and self.outage.failed(error, time.monotonic())
            self._finish(table, loading)
            table.stop_loading()
        if first and not self.closed:
            log.warning("xr2: %s; going on with what is in memory", error.message)
        self.keeper.failed(table)
        loading.done.set_exception(error)

    def _no_bundle(self, table: Table, loading: Loading, error: Xr2Error) -> None:
        """This server, or this label, has no bundle: its prompts are fetched one by one."""
        with self.lock:
            self._unavailable_until[table.label] = time.monotonic() + ASK_AGAIN_AFTER
            self._finish(table, loading)
            table.stop_loading()
            table.clear()
            self._gone.add(table.label)
        self.keeper.forget(table)
        self.keeper.changed()
        self.want_everything()
        loading.done.set_exception(error)

    def _finish(self, table: Table, loading: Loading) -> None:
        if self._loading.get(table.label) is loading:
            del self._loading[table.label]

    def refused(self, error: Xr2Error, table: Table | None = None) -> None:
        """The server says that the key is no longer good: for one label (403), or at all."""
        only = table if error.status == 403 else None
        with self.lock:
            for one in list(self.tables.values()) if only is None else [only]:
                one.clear()
            if only is None:
                self._stored, self._has_read = {}, True
            else:
                self._gone.add(only.label)
        if only is not None:
            self.keeper.changed()
        else:
            if self.disk is not None:
                self.disk.remove()
            for sink in tuple(self.sinks):
                sink.key_refused()
        self._tell()

    # ---- the stream's listener ----

    def opening(self) -> Opening:
        """How to open the stream now: where it left off, if nothing is missing up to there."""
        with self.lock:
            self._opened_for = self._filter()
            complete = [table.revision for table in self.tables.values() if table.complete]
            self._resumed_from = min(complete) if complete else None
            self.opened_at, self.hello_at = time.monotonic(), None
            params = {"label": self._opened_for} if self._opened_for is not None else {}
            return Opening(params, self._resumed_from)

    def opened(self) -> None:
        """A connection is being tried."""
        self.keeper.wake()

    def heard(self) -> None:
        """Some bytes came."""
        self.heard_at = time.monotonic()

    def silent_since(self) -> tuple[float, float] | None:
        """Since when the open stream has been silent, and how long it may be; none where there is none."""
        if self.opened_at is None:
            return None
        if self.hello_at is None:
            return self.opened_at, self.settings.connect_timeout + self.settings.read_timeout
        return self.heard_at, SILENT_BEATS * self.heartbeat

    def hello(self, revision: int | None, begins: int | None, heartbeat: float | None, *, stale: bool) -> None:
        """The stream is open."""
        now = time.monotonic()
        with self.lock:
            self.connected, self.hello_at, self._cut_off = True, now, stale
            self.heartbeat = heartbeat or HEARTBEAT
            # A server that goes on elsewhere did not get, or not understand, where we left off.
            resumed = self._resumed_from if begins == self._resumed_from else None
            self._seen = self._applied = resumed if resumed is not None else revision or 0
            self._vouched = self._opened_for is None and not stale
            self.outage.succeeded()
            about = {"resumed": resumed is not None, "cut_off": stale}
            late = [table for table in self.tables.values() if not table.greeted(revision, **about)]
            self._follow(now)
        self._unavailable_until.clear()
        for table in late:
            wait = GOAL_PATIENCE if table.complete else 0.0
            self.keeper.load_within(table, wait, wait + RESYNC_SPREAD / 4)
        for sink in tuple(self.sinks):
            sink.stream_opened(revision, vouched=self._vouched)
        self._tell()
        self.keeper.wake()

    def frame(self, label: str, change: Change) -> None:
        """A label delivers another text of a prompt now, or none any more."""
        event = {
            "slug": change.slug, "prompt_id": change.prompt_id, "label": label, "revision": change.revision,
            "version": change.item.get("version") if change.item is not None else None,
        }  # fmt: skip
        with self.lock:
            self._step(change.revision)
            table = self.tables.get(label)
            # A server that was cut off tells only now what came from another one before.
            old = table is not None and self._cut_off and table.has(change.revision)
            if table is not None and not old and table.take(change):
                self.keeper.changed()
        self._forward(event)

    def changed(self, event: dict[str, Any]) -> None:
        """What servers without bundles say; where there are bundles, `frame` follows and says more."""
        self._forward(event)

    def _forward(self, event: dict[str, Any]) -> None:
        for sink in tuple(self.sinks):
            sink.prompt_changed(event)
        self._tell()

    def mark(self, revision: int | None) -> None:
        """Everything up to here (or seen so far) has been sent."""
        with self.lock:
            if revision is not None:
                self._step(revision)
            self._advance(self._seen)
            self._follow(time.monotonic())
        self.keeper.wake()

    def _step(self, revision: int) -> None:
        if revision < self._seen:
            raise ProtocolError(f"the event stream goes back from revision {self._seen} to {revision}")
        if revision > self._seen:
            self._seen = revision
            self._advance(revision - 1)

    def _advance(self, revision: int) -> None:
        self._applied = max(self._applied, revision)
        for table in self.tables.values():
            table.advance(self._applied)

    def resync(self, revision: int | None) -> None:
        """Something was left out: only a bundle helps."""
        now = time.monotonic()
        with self.lock:
            if revision is not None:
                self._seen = self._applied = max(self._seen, revision)
            uncertain = [table for table in self.tables.values() if not (self._cut_off and table.has(revision))]
            for table in uncertain:
                table.floor = max(table.floor, self._seen)
                table.suspect = table.loaded
            self._follow(now)
        for table in uncertain:
            if self.usable(table, now):
                self.keeper.load_within(table, 0.0, RESYNC_SPREAD)
        for sink in tuple(self.sinks):
            sink.all_uncertain(revision)
        self._tell()

    def garbled(self) -> None:
        """Nobody knows what was lost: the next connection begins with a bundle."""
        with self.lock:
            for table in self.tables.values():
                table.suspect = table.loaded
            self._follow(time.monotonic())

    def healthy(self) -> bool:
        """Whether the connection lasted: a server that greets and hangs up at once is not asked for more."""
        return self.hello_at is not None and time.monotonic() - self.hello_at > HEALTHY_AFTER

    def lost(self, error: Xr2Error | None) -> None:
        """The connection is gone."""
        with self.lock:
            self.connected = self._cut_off = self._vouched = False
            self.opened_at = self.hello_at = None
            self._follow(self.heard_at)
        if refuses_the_key(error) and error is not None:
            self.refused(error, self.tables.get(self._opened_for) if self._opened_for is not None else None)
        for sink in tuple(self.sinks):
            sink.stream_lost(self.heard_at)
        self._tell()
        self.keeper.stream_lost()

    def _follow(self, now: float) -> None:
        for table in self.tables.values():
            table.follow(connected=self.in_touch, now=now)

    def _tell(self) -> None:
        for sink in tuple(self.sinks):
            sink.tell()

    # ---- what it has to tell ----

    @property
    def in_touch(self) -> bool:
        """Whether a stream is open, and its server hears of every change."""
        return self.connected and not self._cut_off

    @property
    def revision(self) -> int | None:
        """Everything up to here is in memory; none where no bundle is."""
        held = [table.revision for table in self.tables.values() if table.loaded and not table.from_disk]
        return min(held) if held else None

    def serving(self, used: set[tuple[str, str]]) -> list[dict[str, Any]]:
        """What is served now, of the prompts that were read here."""
        found = []
        for label, prompt_id in used:
            table = self.tables.get(label)
            snapshot = table.by_id(prompt_id) if table is not None else None
            if snapshot is not None:
                found.append(served(prompt_id, label, snapshot))
        return found

    def holding(self) -> Holding:
        """What the disk is to hold."""
        with self.lock:
            tables = [table for table in self.tables.values() if table.complete]
            known = [shelf_of(table) for table in tables if not table.from_disk]
            earlier = [shelf_of(table) for table in (*tables, *self._stored.values()) if table.from_disk]
            return Holding(known, earlier, frozenset(self._gone))

    def close(self, patience: float) -> None:
        """Stop everything; the last report and the disk come before the connections."""
        self.closed = True
        self.stream.close()
        self.keeper.close(patience)
        self.workers.close(patience)
        self.wire.close()
