"""The memory of a client: which copies it holds, how current they are, who is fetching what.

No input or output happens here and the time is always handed in, so that every rule can be tested without
waiting. The blocking and the asyncio client both drive this one machine.

How current a copy is
    A copy is *covered* while the stream is connected and has announced nothing newer for it: its age is 0.
    When the stream announces a change, falls silent or drops, the age runs from the last moment at which the
    copy was known to be current. A copy older than ``max_age`` (one second) is confirmed with the server
    before it is handed out.

Revisions
    The workspace counts its changes; answers and events carry the count. An answer older than what is held
    never replaces it, and an answer older than an announced change never counts as current.
"""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ._fork import survives_fork
from ._snapshot import Snapshot
from ._wire import Answer, Key
from .errors import AuthError, NotFound

OLDER_ANSWERS_REFUSED_FOR = 10.0
"""Seconds after which lower revisions are believed: the server was restored from a backup. Answers of nodes that
say of themselves that they may be out of date do not count."""
EAGER_REFRESHES = 64
"""How many copies one event may refresh unasked; the rest are confirmed when they are next used."""
DOUBT_AFTER = 60.0
"""Seconds after which a copy in use is confirmed once more even while the stream is silent about it."""
BREAKER_FIRST, BREAKER_CAP, BREAKER_HINT_CAP = 0.25, 2.0, 60.0
NEVER = float("-inf")

F = TypeVar("F")


@dataclass(eq=False)
class Slot:
    """The place of one key: its copy, if any, and what is known about it."""

    key: Key
    snapshot: Snapshot | None = None
    revision: int | None = None
    confirmed_at: float = NEVER
    covered: bool = False
    needs_revision: int = 0
    changes: int = 0
    changed_at: float = NEVER
    refused_since: float | None = None
    used_at: float = NEVER
    flight: Any = None


@dataclass(eq=False)
class Ticket(Generic[F]):
    """One fetch under way: what was known when it began, and the waiters' handle."""

    slot: Slot
    started_at: float
    epoch: int
    changes: int
    etag: str | None
    min_revision: int | None
    seen_revision: int | None
    handle: F


@dataclass
class StreamState:
    """What is known of the stream of changes."""

    live: bool = False
    epoch: int = 0
    revision: int | None = None
    hello_revision: int | None = None
    heard_at: float = NEVER


@dataclass
class Found:
    """The answer to “what do you hold?”."""

    slot: Slot
    snapshot: Snapshot | None
    age: float
    covered: bool


@dataclass(frozen=True)
class Landing:
    """What an answer came to. Without a snapshot, the fetch must be repeated without an ETag."""

    snapshot: Snapshot | None
    again: bool = False
    """A newer change was announced while the request was under way."""


@dataclass(eq=False)
class Engine:
    """See the module's text."""

    capacity: int
    max_age: float
    stream: StreamState = field(default_factory=StreamState)
    on_fork: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._slots: OrderedDict[Key, Slot] = OrderedDict()
        self._failures = 0
        self._retry_at = NEVER
        self.last_outage: BaseException | None = None
        self.listeners: set[Callable[[], None]] = set()
        survives_fork(self)

    def tell(self) -> None:
        """Wake whoever watches for new text."""
        for listener in tuple(self.listeners):
            listener()

    # ---- reading ----

    def look(self, key: Key, now: float) -> Found:
        """What is held for a key; makes a place for it if there is none."""
        with self.lock:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = Slot(key)
                self._make_room()
            else:
                self._slots.move_to_end(key)
            slot.used_at = now
            return Found(slot, slot.snapshot, self._age(slot, now), slot.covered and self.stream.live)

    def is_fresh(self, found: Found) -> bool:
        """Whether the copy may be handed out without asking the server."""
        return found.snapshot is not None and found.age <= self.max_age

    def is_due(self, found: Found, now: float) -> bool:
        """Whether to ask in the background, for certainty's sake, although the stream vouches for the copy."""
        return found.covered and not self.in_outage and now - found.slot.confirmed_at > DOUBT_AFTER

    def __len__(self) -> int:
        return len(self._slots)

    def _age(self, slot: Slot, now: float) -> float:
        return 0.0 if slot.covered and self.stream.live else now - slot.confirmed_at

    def discard(self, key: Key) -> None:
        """A bundle holds this prompt now: a copy of its own is needed no more."""
        with self.lock:
            self._slots.pop(key, None)

    def held_keys(self) -> list[Key]:
        """What there is a place for."""
        with self.lock:
            return list(self._slots)

    def _make_room(self) -> None:
        # The newest place is the one just made: it stays.
        for key in list(self._slots)[: max(0, len(self._slots) - self.capacity)]:
            del self._slots[key]

    # ---- fetching ----

    def join(self, slot: Slot, now: float, make: Callable[[], F]) -> tuple[Ticket[F], bool]:
        """The fetch under way for this slot, or a new one; the flag says whether the caller must run it."""
        with self.lock:
            if slot.flight is not None:
                return slot.flight, False
            held = slot.snapshot
            ticket = Ticket(
                slot=slot,
                started_at=now,
                epoch=self.stream.epoch if self.stream.live else 0,
                changes=slot.changes,
                etag=held.etag if held else None,
                # Only where a change was announced: a server that has not heard of it must wait for it.
                min_revision=slot.needs_revision if slot.needs_revision > (slot.revision or 0) else None,
                seen_revision=self.stream.revision if self.stream.live else None,
                handle=make(),
            )
            slot.flight = ticket
            return ticket, True

    def land(self, ticket: Ticket[Any], answer: Answer, now: float) -> Landing:
        """Take in an answer."""
        with self.lock:
            slot = ticket.slot
            self._failures, self._retry_at = 0, NEVER
            if answer.data is None and slot.snapshot is None:
                ticket.etag = None
                return Landing(None)
            slot.flight = None
            if self._is_older(slot, answer, now):
                return Landing(slot.snapshot)
            if answer.data is not None:
                fresh = Snapshot(answer.data, answer.meta, answer.etag)
                if not answer.storable:
                    self._drop(slot)
                    return Landing(fresh)
                slot.snapshot = fresh
            slot.revision = answer.revision
            landing = Landing(slot.snapshot, again=not self._confirm(slot, ticket, answer))
        self.tell()
        return landing

    def _is_older(self, slot: Slot, answer: Answer, now: float) -> bool:
        if slot.snapshot is None or slot.revision is None or answer.revision is None:
            return False
        older = answer.revision < slot.revision
        if answer.behind or not older:
            slot.refused_since = None
            return older
        if slot.refused_since is None:
            slot.refused_since = now
        if now - slot.refused_since < OLDER_ANSWERS_REFUSED_FOR:
            return True
        slot.refused_since, slot.needs_revision = None, 0
        return False

    def _confirm(self, slot: Slot, ticket: Ticket[Any], answer: Answer) -> bool:
        """Note how current the copy now is; False when a change came after the request was sent."""
        if answer.revision is not None:
            current = answer.revision >= slot.needs_revision
        else:
            current = slot.changes == ticket.changes
        asked_for_it = (ticket.min_revision or 0) >= slot.needs_revision
        if current or asked_for_it:
            slot.confirmed_at = ticket.started_at
        else:
            slot.confirmed_at = min(ticket.started_at, slot.changed_at)
        slot.covered = current and not answer.behind and self._watched(ticket, answer)
        return current or asked_for_it

    def _watched(self, ticket: Ticket[Any], answer: Answer) -> bool:
        """Whether the present stream has seen (or will see) every change since this answer was made."""
        stream = self.stream
        if not stream.live:
            return False
        # What was announced before there was a place for this copy must be in the answer; a server that lags
        # behind the one that streams would otherwise leave an old text for good.
        began_before = ticket.epoch != stream.epoch
        announced = stream.hello_revision if began_before else ticket.seen_revision
        if answer.revision is None or announced is None:
            return not began_before
        return answer.revision >= announced

    def fail(self, ticket: Ticket[Any], error: BaseException, now: float, *, outage: bool) -> bool:
        """Note that a fetch failed; True when this is where an outage begins."""
        with self.lock:
            slot = ticket.slot
            slot.flight = None
            if isinstance(error, NotFound):
                self._drop(slot)
            if isinstance(error, AuthError):
                self._forget(slot, error)
            if outage:
                return self._note_outage(error, now)
            self._failures, self._retry_at = 0, NEVER
        self.tell()
        return False

    def _note_outage(self, error: BaseException, now: float) -> bool:
        self._failures += 1
        self.last_outage = error
        wait = min(BREAKER_CAP, BREAKER_FIRST * 2 ** min(self._failures - 1, 8)) * random.uniform(0.75, 1)
        hint = min(getattr(error, "retry_after", None) or 0.0, BREAKER_HINT_CAP)
        self._retry_at = now + max(wait, hint)
        return self._failures == 1

    def _forget(self, slot: Slot, error: AuthError) -> None:
        if error.status == 403:
            self._drop(slot)
        else:
            self.forget_all()

    def forget_all(self) -> None:
        """Drop every copy: the key is no longer good for any of them."""
        with self.lock:
            for slot in list(self._slots.values()):
                self._drop(slot)
        self.tell()

    def _drop(self, slot: Slot) -> None:
        slot.snapshot, slot.revision, slot.covered = None, None, False
        slot.confirmed_at, slot.refused_since = NEVER, None
        if self._slots.get(slot.key) is slot and slot.flight is None:
            del self._slots[slot.key]

    # ---- outages ----

    @property
    def in_outage(self) -> bool:
        """Whether the last attempt to reach the server failed."""
        return self._failures > 0

    def must_wait(self, now: float) -> bool:
        """Whether it is too soon after a failure to try again."""
        return self._failures > 0 and now < self._retry_at

    # ---- the stream ----

    def hello(self, revision: int | None, now: float) -> list[Slot]:
        """The stream is connected. Returns the copies that must be confirmed."""
        with self.lock:
            stream = self.stream
            went_back = revision is not None and stream.revision is not None and revision < stream.revision
            self._failures, self._retry_at = 0, NEVER
            stream.live, stream.heard_at = True, now
            stream.epoch += 1
            stream.revision = stream.hello_revision = revision
            for slot in self._slots.values():
                if went_back:
                    slot.needs_revision = 0
                slot.covered = (
                    not went_back
                    and slot.snapshot is not None
                    and slot.revision is not None
                    and revision is not None
                    and slot.revision >= max(revision, slot.needs_revision)
                )
            return self._recent(slot for slot in self._slots.values() if not slot.covered)

    def heard(self, now: float) -> None:
        """Something came over the stream, if only a heartbeat."""
        self.stream.heard_at = now

    def stream_lost(self) -> None:
        """The stream ended: from now on copies age, beginning at the last sign of life."""
        with self.lock:
            stream = self.stream
            if not stream.live:
                return
            stream.live = False
            for slot in self._slots.values():
                if slot.covered:
                    slot.confirmed_at = max(slot.confirmed_at, stream.heard_at)
                    # Covered means that nothing up to here concerned it: as good as an answer of now.
                    if slot.revision is not None and stream.revision is not None:
                        slot.revision = max(slot.revision, stream.revision)
                slot.covered = False

    def changed(self, event: dict[str, Any], now: float) -> list[Slot]:
        """A prompt has changed. Returns the copies to fetch again at once."""
        with self.lock:
            revision = _count(event.get("revision"))
            if revision is not None:
                self.stream.revision = max(self.stream.revision or 0, revision)
            touched = [slot for slot in self._slots.values() if _concerns(slot, event)]
            stale = [slot for slot in touched if not _has_it(slot, event, revision)]
            for slot in stale:
                self._outdate(slot, revision, now)
            return self._recent(stale)

    def resync(self, revision: int | None, now: float) -> list[Slot]:
        """Events were lost: nothing held is certain any more."""
        with self.lock:
            if revision is not None:
                self.stream.revision = max(self.stream.revision or 0, revision)
            for slot in self._slots.values():
                self._outdate(slot, revision, now)
            return self._recent(self._slots.values())

    def _outdate(self, slot: Slot, revision: int | None, now: float) -> None:
        if slot.covered:
            slot.confirmed_at = now
        slot.covered = False
        slot.changes += 1
        slot.changed_at = now
        slot.needs_revision = max(slot.needs_revision, revision or 0)

    def _recent(self, slots: Iterable[Slot]) -> list[Slot]:
        held = [slot for slot in slots if slot.snapshot is not None]
        held.sort(key=lambda slot: slot.used_at, reverse=True)
        return held[:EAGER_REFRESHES]

    # ---- processes and event loops ----

    def after_fork(self) -> None:
        """Let go of the parent's threads, and have the client do so too."""
        self.stream_lost()
        self.abandon_flights()
        self.listeners.clear()
        if self.on_fork is not None:
            self.on_fork()

    def abandon_flights(self) -> None:
        """Forget fetches that nobody runs any more: after a fork, or when the event loop has gone."""
        with self.lock:
            for slot in self._slots.values():
                slot.flight = None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _concerns(slot: Slot, event: dict[str, Any]) -> bool:
    """Whether an event may change what this slot delivers.

    A copy pinned to a version is concerned by every event of its prompt: the prompt may be gone, or a
    snippet that it includes may have been published. ``latest`` may move with any of them.
    """
    if slot.key.label not in (None, "latest") and event.get("label") not in (None, slot.key.label):
        return False
    slug, prompt_id = event.get("slug"), event.get("prompt_id")
    if slot.key.slug in (slug, prompt_id):
        return True
    if slot.snapshot is None:
        return False
    data = slot.snapshot.data
    return (prompt_id is not None and data.get("id") == prompt_id) or data.get("slug") == slug


def _has_it(slot: Slot, event: dict[str, Any], revision: int | None) -> bool:
    """Whether the copy was made after the change it is told of."""
    if slot.snapshot is None or revision is None or slot.revision is None or slot.revision < revision:
        return False
    return slot.key.version is not None or slot.snapshot.data.get("version") == event.get("version")
