"""What both clients do the same: keys from arguments, when to serve, when to ask, when to fall back."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ._engine import Engine, Found, Snapshot
from ._settings import Settings
from ._wire import FALLBACK_HINT, Key, is_outage
from .errors import ClientClosed, ConnectionFailed, NotFound, RequestTimeout, Xr2Error
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
