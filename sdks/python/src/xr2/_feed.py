"""The stream of changes as the client reads it, without the connection itself."""

from __future__ import annotations

import json
import random
from typing import Any

from ._engine import Engine, Slot
from ._settings import API_PATH, Settings
from ._sse import Event, SseDecoder
from .errors import AuthError, ConnectionFailed, ProtocolError, Xr2Error

STREAM_PATH = f"{API_PATH}/stream"
BACKOFF_FIRST, BACKOFF_CAP, REFUSED_CAP = 0.25, 30.0, 60.0
SPREAD_AFTER_RECONNECT = 0.25
"""Seconds over which clients spread their questions after all of them lost the stream at once."""


class Feed:
    """One connection's worth of events, fed to the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._decoder = SseDecoder()
        self.connected = False
        self.rejoined = False
        """The last bytes brought the greeting: what must be fetched now, every other client fetches too."""

    def take(self, chunk: bytes, now: float) -> list[Slot]:
        """Read bytes; return the copies to fetch again."""
        self.rejoined = False
        self._engine.heard(now)
        found: dict[int, Slot] = {}
        try:
            events = self._decoder.feed(chunk)
        except ValueError as error:
            raise ProtocolError(str(error)) from None
        for event in events:
            for slot in self._apply(event, now):
                found[id(slot)] = slot
        return list(found.values())

    def _apply(self, event: Event, now: float) -> list[Slot]:
        if event.event not in ("hello", "changed", "resync"):
            return []
        data = _object(event.data)
        revision = data.get("revision")
        count = revision if isinstance(revision, int) and not isinstance(revision, bool) else None
        if event.event == "hello":
            self.connected = self.rejoined = True
            return self._engine.hello(count, now)
        if not self.connected:
            return []
        if event.event == "resync":
            return self._engine.resync(count, now)
        return self._engine.changed(data, now)


class Backoff:
    """How long to wait before the stream is tried again: longer each time, never all clients at once."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, error: Xr2Error | None, *, was_connected: bool) -> float:
        """Seconds to wait, given how the last connection ended."""
        if was_connected:
            self._failures = 0
        longest = min(BACKOFF_CAP, BACKOFF_FIRST * float(2**self._failures))
        self._failures = min(self._failures + 1, 10)
        wait = longest * random.uniform(0.3, 1)
        if error is None or isinstance(error, ConnectionFailed) or error.retry_after is None:
            return wait
        return max(wait, min(error.retry_after, REFUSED_CAP))

    def reset(self) -> None:
        """The server is known to be back."""
        self._failures = 0


def stream_headers(settings: Settings) -> dict[str, str]:
    """The headers that ask for events."""
    return {**settings.headers, "Accept": "text/event-stream", "Cache-Control": "no-cache"}


def check_stream_type(content_type: str) -> None:
    """Refuse a page that something between us and the server made up."""
    if content_type.partition(";")[0].strip().lower() != "text/event-stream":
        raise ProtocolError(f"expected an event stream, got {content_type or 'no content type'}")


def ends_the_key(error: Xr2Error | None) -> bool:
    """Whether the stream was refused because the key is no longer good."""
    return isinstance(error, AuthError) and error.status == 401


def _object(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("the event stream holds something that is no JSON") from None
    if not isinstance(parsed, dict):
        raise ProtocolError("the event stream holds something that is no object")
    return parsed
