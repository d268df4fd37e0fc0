"""What both clients do the same: keys from arguments, when to serve, when to ask, when to fall back."""

from __future__ import annotations

import copy
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ._bundle import Loading
from ._engine import Engine, Found, Slot
from ._feed import SPREAD_AFTER_RECONNECT
from ._http import MakeAsyncClient, MakeClient
from ._registry import registry
from ._settings import Settings
from ._snapshot import Snapshot
from ._table import Table
from ._wire import FALLBACK_HINT, Key, is_outage
from .errors import AuthError, BadRequest, ClientClosed, ConnectionFailed, NotFound, RequestTimeout, Xr2Error
from .prompt import Source

STALE_WAIT = 1.0
"""Seconds a caller waits for a confirmation before the copy in memory is handed out as stale."""
WATCH_PAUSE = 1.0
"""Seconds after which a watcher asks again, should no news have come by themselves."""
MOST_TOLD = 1000
log = logging.getLogger("xr2")


@dataclass(frozen=True)
class Served:
    """A snapshot on its way to a caller."""

    snapshot: Snapshot
    source: Source
    stale: bool = False
    counted: bool = False
    """The server knows of this read, since it was asked for this very prompt."""


@dataclass(frozen=True)
class Waiting:
    """A snapshot that is being confirmed; a caller waits a second for that at most."""

    table: Table
    loading: Loading
    slug: str
    snapshot: Snapshot

    def limit(self, timeout: float | None, now: float) -> float:
        """How long to wait, counted from when the fetch began: a hanging server costs one caller one second."""
        left = max(0.0, self.loading.started_at + STALE_WAIT - now)
        return left if timeout is None else min(left, timeout)

    def unconfirmed(self) -> Served:
        """What there is, if the server does not say in time."""
        return Served(self.snapshot, "disk" if self.table.from_disk else "cache", stale=True)

    def confirmed(self) -> Served | None:
        """What there is now; none where the prompt is gone, or this server has no bundles."""
        found = self.table.entries.get(self.slug)
        if found is None:
            return None
        current = self.table.live or self.table.confirmed_at >= self.loading.started_at
        return Served(found[0], "api" if current else "cache", stale=not current)

    def after(self, error: Xr2Error) -> Served | None:
        """What to do when the fetch failed: go on, ask for the one prompt, or tell the caller."""
        if is_outage(error):
            return self.unconfirmed()
        if isinstance(error, NotFound | BadRequest):
            return None
        raise copy.copy(error) from error.__cause__


class ClientCore:
    """What both clients do with their hub: read its tables, and hear from it what concerns their own copies."""

    def __init__(
        self, settings: Settings, make: MakeClient | None = None, make_async: MakeAsyncClient | None = None
    ) -> None:
        self.settings = settings
        self.engine = Engine(settings.cache_size, settings.max_age)
        self.closed = False
        self.told: set[Key] = set()
        self.hub = registry.join(settings, self, make, make_async)
        self.count: Callable[[Snapshot, int], None] | None = (
            self.hub.tally.count if self.hub.tally is not None else None
        )

    def from_table(self, key: Key, now: float) -> Served | Waiting | None:
        """What the bundle says; none where only the server can tell."""
        hub = self.hub
        if key.label is None or not _in_bundles(key):
            hub.start()
            self._rely_on_stream()
            return None
        table = hub.table(key.label)
        hub.start()
        if not hub.usable(table, now):
            self._rely_on_stream()
            return None
        if not table.loaded:
            if hub.keeper.may_load(table, now):
                hub.load(table)
            return None
        found = table.entries.get(key.slug)
        if found is not None:
            return self._of_age(table, key.slug, found[0], now)
        absence = table.absence(key.slug)
        if absence is not None:
            raise copy.copy(absence) from absence.__cause__
        if table.is_by_server(key.slug):
            self._rely_on_stream()
        return None

    def _rely_on_stream(self) -> None:
        """Have the stream tell of what no bundle holds; it may have been opened before this client was there."""
        self.hub.want_everything()
        told = None if self.engine.stream.live else self.hub.vouches()
        if told is None:
            return
        self.stream_opened(told, vouched=True)
        # What the stream told in between went past this client.
        newest = self.hub.vouches()
        if newest is None:
            self.engine.stream_lost()
        elif newest != told:
            self.all_uncertain(newest)

    def note_refusal(self, key: Key, error: Xr2Error) -> None:
        """What the server's no to one prompt means for the rest.

        No such prompt: it need not be asked for again until the stream says otherwise. No such key: nothing that
        is held for it may be handed out any more.
        """
        if isinstance(error, AuthError) and error.status == 401:
            self.hub.refused(error)
        table = self.hub.tables.get(key.label or "")
        if table is not None and isinstance(error, NotFound) and _in_bundles(key):
            table.note_absence(key.slug, error)

    def reading(self, key: Key) -> Future[None] | None:
        """The disk on its way into memory, where it may hold this key; to be waited for before anything else."""
        return self.hub.reading() if _in_bundles(key) and key.label not in self.hub.tables else None

    def coming(self, key: Key, now: float) -> Loading | None:
        """The bundle that will hold this key, while it is on its way for the first time."""
        if key.label is None:
            return None
        table = self.hub.table(key.label)
        self.hub.start()
        wanted = not table.loaded and self.hub.usable(table, now) and self.hub.keeper.may_load(table, now)
        return self.hub.load(table) if wanted else None

    def _of_age(self, table: Table, slug: str, snapshot: Snapshot, now: float) -> Served | Waiting:
        if table.live:
            return Served(snapshot, "stream")
        hub, age, most = self.hub, now - table.confirmed_at, self.settings.max_age
        if age <= most:
            if age > most / 2 and not hub.outage.failing:
                hub.load(table)
            return Served(snapshot, "cache")
        down = hub.outage.failing
        waiting = Waiting(table, Loading(now) if hub.outage.must_wait(now) else hub.load(table), slug, snapshot)
        return waiting.unconfirmed() if down else waiting

    def refresh(self, slots: list[Slot], delay: float) -> None:
        """Fetch these again in the background."""
        raise NotImplementedError

    # ---- what the hub tells, from threads of its own ----

    def stream_opened(self, revision: int | None, *, vouched: bool) -> None:
        """The stream is open; only where it tells of everything does it vouch for copies outside of the bundle."""
        if vouched:
            slots = self._outside(self.engine.hello(revision, time.monotonic()))
            self.refresh(slots, random.uniform(0, SPREAD_AFTER_RECONNECT))

    def stream_lost(self, heard_at: float) -> None:
        """The stream is gone."""
        self.engine.heard(heard_at)
        self.engine.stream_lost()

    def prompt_changed(self, event: dict[str, Any]) -> None:
        """A prompt has changed."""
        if self.engine.stream.live:
            self.refresh(self._outside(self.engine.changed(event, time.monotonic())), 0.0)

    def all_uncertain(self, revision: int | None) -> None:
        """Changes were left out."""
        if self.engine.stream.live:
            slots = self._outside(self.engine.resync(revision, time.monotonic()))
            self.refresh(slots, random.uniform(0, SPREAD_AFTER_RECONNECT))

    def table_filled(self, table: Table) -> None:
        """What the bundle holds needs no copy of its own."""
        for key in self.engine.held_keys():
            if _is_held(table, key):
                self.engine.discard(key)

    def _outside(self, slots: list[Slot]) -> list[Slot]:
        left = []
        for slot in slots:
            table = self.hub.tables.get(slot.key.label or "")
            if table is not None and _is_held(table, slot.key):
                self.engine.discard(slot.key)
            else:
                left.append(slot)
        return left

    def key_refused(self) -> None:
        """The server says that the key is no longer good."""
        self.engine.forget_all()

    def tell(self) -> None:
        """Wake whoever watches."""
        self.engine.tell()


def _is_held(table: Table, key: Key) -> bool:
    return _in_bundles(key) and key.label == table.label and table.loaded and key.slug in table.entries


def _in_bundles(key: Key) -> bool:
    """Whether a bundle may hold this. Users differ only where an A/B test runs, and such prompts it leaves aside."""
    return key.label is not None and key.optimized_for is None


def make_key(
    settings: Settings,
    slug: str,
    label: str | None,
    version: int | None,
    user_id: str | None,
    optimized_for: str | None,
) -> Key:
    """The key for a call's arguments; nonsense is refused here, with the reason."""
    if not isinstance(slug, str) or not slug:
        raise ValueError(f"slug must be a prompt's slug or id, not {slug!r}")
    if label is not None and version is not None:
        raise ValueError("give label or version, not both: a label points at one version at a time")
    if label is not None and (not isinstance(label, str) or not label):
        raise ValueError(f"label must be the name of a label, not {label!r}")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version < 1):
        raise ValueError(f"version must be a number from 1, not {version!r}")
    if version is None and label is None:
        label = settings.label
    # An empty user id means no user, as everywhere in xr2.
    return Key(slug, label, version, user_id or None, optimized_for or None)


def check_timeout(timeout: float | None) -> None:
    """Refuse a timeout in which nothing could happen."""
    if timeout is not None and not timeout > 0:
        raise ValueError(f"timeout must be more than 0 seconds, not {timeout!r}")


def at_hand(engine: Engine, found: Found, now: float) -> Served | None:
    """What can be handed out without waiting: a current copy, or during an outage the last good one."""
    if found.snapshot is None:
        return None
    if engine.is_fresh(found):
        return Served(found.snapshot, "stream" if found.covered else "cache")
    if engine.must_wait(now):
        return Served(found.snapshot, "cache", stale=True)
    return None


def wait_limit(found: Found, started_at: float, timeout: float | None, now: float) -> float | None:
    """How long to wait for the fetch under way: None is as long as it takes.

    With a copy in hand nobody waits longer than a second, counted from when the fetch began, so that a hanging
    server costs one caller one second and not every caller one.
    """
    if found.snapshot is None:
        return timeout
    left = max(0.0, started_at + STALE_WAIT - now)
    return left if timeout is None else min(left, timeout)


def too_slow(key: Key, settings: Settings) -> RequestTimeout:
    """The error when a call's own timeout is over."""
    return RequestTimeout(
        f"{key}: the server at {settings.url} did not answer within the call's timeout{FALLBACK_HINT}"
    )


def outage_error(engine: Engine, settings: Settings) -> Xr2Error:
    """Why an impatient caller gets the fallback at once: a moment ago the server could not be reached."""
    last = engine.last_outage
    return last if isinstance(last, Xr2Error) else ConnectionFailed(f"the server at {settings.url} is not reachable")


def serve_stale(found: Found, error: Xr2Error) -> Served | None:
    """The copy in memory, where the error says nothing against it."""
    if found.snapshot is not None and is_outage(error):
        return Served(found.snapshot, "cache", stale=True)
    return None


def note_failure(error: Xr2Error, *, first: bool) -> None:
    """Say once per outage that there is one."""
    if first:
        log.warning("xr2: %s; going on with what is in memory", _without_hint(error))


def note_fallback(key: Key, error: Xr2Error, told: set[Key]) -> None:
    """Say once per prompt that its fallback is in use."""
    if key not in told:
        if len(told) >= MOST_TOLD:
            told.clear()
        told.add(key)
        log.warning("xr2: using the fallback for %s: %s", key, _without_hint(error))


def _without_hint(error: Xr2Error) -> str:
    return str(error).replace(FALLBACK_HINT, "")


def closed_error() -> ClientClosed:
    """The error for using a client after its end."""
    return ClientClosed("this xr2 client has been closed")


def all_missing(failed: dict[str, Xr2Error]) -> Xr2Error:
    """One error for everything `get_many` could not get."""
    if len(failed) == 1 or not all(isinstance(error, NotFound) for error in failed.values()):
        return next((e for e in failed.values() if not isinstance(e, NotFound)), next(iter(failed.values())))
    first = next(iter(failed.values()))
    return NotFound(
        f"{len(failed)} prompts not found: {', '.join(failed)}",
        status=404,
        request_id=first.request_id,
        details={"slugs": list(failed)},
    )
