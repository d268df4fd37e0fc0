"""Every prompt of one label, kept current by the stream: the rules, without any input or output.

Revisions
    The workspace counts its changes. ``revision`` is the count up to which this table is known to be complete.
    A bundle older than what is held is refused, a frame older than the bundle is ignored, and frames that arrive
    while a bundle is on its way are applied once more on top of it. Servers that insist on lower revisions were
    restored from a backup; one that says itself that it is ``behind`` insists on nothing.

Current
    ``live`` is true while the stream is open and everything it has announced is in here. Otherwise the table's age
    runs from ``confirmed_at``, the last moment at which it was known to be current.

The hub's lock is held around everything but reading, and readers need only ``live`` and ``entries``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ._snapshot import Snapshot
from ._template import discover, texts_of
from ._wire import Key
from .errors import Xr2Error

OLDER_BUNDLES_REFUSED_FOR = 10.0
"""Seconds after which lower revisions are believed: the server was restored from a backup. Answers of nodes that
say of themselves that they may be out of date do not count."""
MOST_PENDING = 10_000
"""Frames kept while a bundle is on its way; beyond them the bundle is fetched once more."""
MOST_ABSENT = 1000
NEVER = float("-inf")

Entries: TypeAlias = "dict[str, tuple[Snapshot, Key]]"


@dataclass(frozen=True)
class Change:
    """One frame of the stream: a prompt that the label delivers now, or none any more."""

    revision: int
    prompt_id: str
    slug: str
    item: dict[str, Any] | None


class Table:
    """See the module's text."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.entries: Entries = {}
        self.live = False
        self.loaded = False
        self.from_disk = False
        self.revision = 0
        self.etag: str | None = None
        self.confirmed_at = NEVER
        self.floor = 0
        """A bundle must be at least this new before the stream's word counts again."""
        self.goal = 0
        """What the stream said is the newest; live only from there on."""
        self._absent: dict[str, Xr2Error] = {}
        self.suspect = False
        """Whether something was lost in a way that no revision tells."""
        self._index = _Index((), label)
        self._base = 0
        self._dirty = False
        self._pending: list[Change] | None = None
        self._overflow = False
        self._refused_since: float | None = None

    def __len__(self) -> int:
        return len(self._index.ids)

    def is_by_server(self, name: str) -> bool:
        """Whether the prompt is there, but only the server can render it, or say who gets which variant."""
        return name in self._index.by_server

    def absence(self, name: str) -> Xr2Error | None:
        """The server's word that there is no such prompt, as long as the stream would have told otherwise."""
        return self._absent.get(name) if self.live else None

    def note_absence(self, name: str, error: Xr2Error) -> None:
        """The server says that there is no such prompt."""
        if self.live and len(self._absent) < MOST_ABSENT:
            self._absent[name] = error

    def snapshots(self) -> list[Snapshot]:
        """Every prompt held, once."""
        return list(self._index.ids.values())

    def by_id(self, prompt_id: str) -> Snapshot | None:
        """The prompt of an id."""
        return self._index.ids.get(prompt_id)

    # ---- bundles ----

    @property
    def complete(self) -> bool:
        """Whether nothing up to ``revision`` is missing and the stream may be continued from there."""
        return self.loaded and not self.suspect and self.revision >= self.floor

    @property
    def min_revision(self) -> int:
        """What a bundle must be of; 0 where what is held is as new, so that a server set back can say that it was."""
        return self.floor if not self.loaded or self.revision < self.floor else 0

    @property
    def if_none_match(self) -> str | None:
        """The ETag to compare with; none where it would no longer stand for what is held."""
        return self.etag if self.loaded and not self._dirty and not self.suspect else None

    def begin_loading(self) -> None:
        """A bundle is asked for: from now on frames are kept for it."""
        self._pending, self._overflow = [], False

    def stop_loading(self) -> None:
        """No bundle came."""
        self._pending = None

    def prepare(self, items: Iterable[Mapping[str, Any]], revision: int) -> list[Snapshot]:
        """A bundle's prompts, those that have not changed as the objects they are. Needs no lock."""
        return [self._same_or_new(dict(item), revision) for item in items]

    def _same_or_new(self, item: dict[str, Any], revision: int) -> Snapshot:
        held = self._index.ids.get(item["id"])
        if held is not None and held.data == item:
            return held
        fresh = Snapshot(item, {}, revision=revision)
        if held is not None and held.data.get("version") == item.get("version"):
            fresh.since = held.since
        return fresh

    def land(
        self,
        revision: int,
        etag: str | None,
        snapshots: list[Snapshot],
        started_at: float,
        now: float,
        *,
        behind: bool = False,
    ) -> bool:
        """Take a whole bundle in; False where it is older than what is held."""
        if self._is_older(revision, now, behind=behind):
            self.stop_loading()
            return False
        pending, self._pending = self._pending or [], None
        self._hold(snapshots)
        self.loaded, self.from_disk, self._dirty = True, False, False
        self.revision = self._base = revision
        self.etag, self.confirmed_at = etag, started_at
        self.suspect = self._overflow
        for change in pending:
            self._take(change)
        return True

    def _hold(self, snapshots: Iterable[Snapshot]) -> None:
        self._index = _Index(snapshots, self.label)
        self.entries = self._index.entries

    def not_modified(self, revision: int | None, started_at: float, now: float, *, behind: bool = False) -> bool:
        """The bundle is what it was; False where that was said by a server that lags behind."""
        revision = self._base if revision is None else revision
        self.stop_loading()
        if self._is_older(revision, now, behind=behind):
            return False
        self.revision = max(self.revision, revision)
        self.confirmed_at, self.from_disk = started_at, False
        self.suspect = self._overflow
        return True

    def _is_older(self, revision: int, now: float, *, behind: bool) -> bool:
        older = self.loaded and revision < self.revision
        if behind or not older:
            self._refused_since = None
            return older
        if self._refused_since is None:
            self._refused_since = now
        if now - self._refused_since < OLDER_BUNDLES_REFUSED_FOR:
            return True
        # A server that says so for so long was restored from a backup.
        self._refused_since, self.revision = None, 0
        self.floor, self.goal = min(self.floor, revision), min(self.goal, revision)
        return False

    def restore(self, revision: int, etag: str | None, items: Iterable[Mapping[str, Any]]) -> None:
        """Begin with what an earlier run left on the disk. It is not current until the server says so."""
        self._hold(self.prepare(items, revision))
        self.loaded = self.from_disk = True
        self.revision = self._base = revision
        self.etag = etag

    def clear(self) -> None:
        """Hold nothing any more: the key is no longer good for it."""
        self.live = self.loaded = self.from_disk = self.suspect = self._dirty = False
        self._hold(())
        self.revision = self._base = 0
        self.etag, self.confirmed_at, self._refused_since = None, NEVER, None

    # ---- the stream ----

    def greeted(self, revision: int | None, *, resumed: bool, cut_off: bool) -> bool:
        """What the stream's greeting means; False where a bundle may be needed."""
        if revision is None:
            self.suspect = self.loaded
            return False
        if self.loaded and revision < self.revision:
            # A server that is cut off has not heard of what is held, and nothing follows from that.
            self.suspect = self.suspect or not cut_off
            return not self.suspect
        if not resumed or not self.complete:
            self.floor = max(self.floor, revision)
        self.goal = revision
        return self.complete and self.revision >= revision

    def has(self, revision: int | None) -> bool:
        """Whether everything up to this revision is known to be here."""
        return self.complete and revision is not None and revision <= self.revision

    def take(self, change: Change) -> bool:
        """Apply one frame; True where it changed what is held."""
        if self._pending is not None:
            if len(self._pending) < MOST_PENDING:
                self._pending.append(change)
            else:
                self._overflow = True
        return self._take(change)

    def _take(self, change: Change) -> bool:
        if not self.loaded or change.revision <= self._base:
            return False
        held = self._index.ids.get(change.prompt_id)
        if held is not None and (held.revision or 0) > change.revision:
            return False
        self._dirty = True
        self._absent = {}
        if change.item is None:
            self._index.remove(change.prompt_id)
            return held is not None
        fresh = Snapshot(change.item, {}, revision=change.revision)
        if held is not None and held.data.get("version") == change.item.get("version"):
            fresh.since = held.since
        self._index.insert(fresh)
        return True

    def advance(self, revision: int) -> None:
        """Everything up to here has been sent."""
        if self.complete:
            self.revision = max(self.revision, revision)

    def follow(self, *, connected: bool, now: float) -> None:
        """Work out whether the stream vouches for this table."""
        live = connected and self.complete and self.revision >= self.goal
        if self.live and not live:
            self.confirmed_at = max(self.confirmed_at, now)
            self._absent = {}
        self.live = live


class _Index:
    """Prompts by id and by every name they answer to."""

    def __init__(self, snapshots: Iterable[Snapshot], label: str) -> None:
        self.entries: Entries = {}
        self.by_server: set[str] = set()
        self.ids: dict[str, Snapshot] = {}
        self._names: dict[str, list[str]] = {}
        self._label = label
        for snapshot in snapshots:
            self.insert(snapshot)

    def insert(self, snapshot: Snapshot) -> None:
        data = snapshot.data
        prompt_id, slug = data["id"], data["slug"]
        former = data.get("former_slugs") or ()
        names = list(dict.fromkeys((slug, prompt_id, *(name for name in former if isinstance(name, str)))))
        aside = only_the_server_can(data)
        # New names first and old ones last, so that a reader never finds nothing in between.
        for name in names:
            other = self.entries.get(name)
            if name not in (slug, prompt_id) and other is not None and _is_anothers(name, prompt_id, other[0]):
                continue
            if aside:
                self.by_server.add(name)
                self.entries.pop(name, None)
            else:
                self.entries[name] = (snapshot, Key(name, self._label))
                self.by_server.discard(name)
        for name in self._names.get(prompt_id, ()):
            if name not in names:
                self._forget(name, prompt_id)
        self._names[prompt_id] = names
        self.ids[prompt_id] = snapshot

    def remove(self, prompt_id: str) -> None:
        for name in self._names.pop(prompt_id, ()):
            self._forget(name, prompt_id)
        self.ids.pop(prompt_id, None)

    def _forget(self, name: str, prompt_id: str) -> None:
        self.by_server.discard(name)
        held = self.entries.get(name)
        if held is not None and held[0].data["id"] == prompt_id:
            del self.entries[name]


def _is_anothers(name: str, prompt_id: str, held: Snapshot) -> bool:
    """Somebody else's present slug is nobody's former one."""
    return bool(held.data["slug"] == name and held.data["id"] != prompt_id)


def as_delivered(item: dict[str, Any]) -> dict[str, Any]:
    """A bundle carries templates; a prompt without variables counts as rendered, as where it is fetched alone."""
    if item.get("rendered") or item.get("variables") or discover(item):
        return item
    if item.get("syntax") == "jinja" and any(sign in text for text in texts_of(item) for sign in ("{{", "{%", "{#")):
        return item
    return {**item, "rendered": True}


def only_the_server_can(data: Mapping[str, Any]) -> bool:
    """Whether only the server can make the delivery.

    Where an A/B test runs, it says who gets which variant. Jinja without variables is delivered as rendered text.
    """
    if data.get("ab_test"):
        return True
    return data.get("syntax") == "jinja" and not data.get("rendered") and not data.get("variables")


def read_item(value: Any) -> dict[str, Any] | None:
    """A prompt of a bundle or a frame, or None where it is none."""
    if not isinstance(value, dict) or not ("content" in value or "messages" in value):
        return None
    if not isinstance(value.get("id"), str) or not isinstance(value.get("slug"), str):
        return None
    if not isinstance(value.get("variables", []), list | None):
        return None
    try:
        return as_delivered(value)
    except (AttributeError, TypeError, KeyError):
        return None
