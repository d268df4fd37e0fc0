"""The stream as the client reads it, without the connection itself."""

from __future__ import annotations

import json
import random
from typing import Any, Protocol

from ._settings import API_PATH, Settings
from ._sse import COMMENT, Event, SseDecoder
from ._table import Change, read_item
from ._wire import retry_wait, whole_number
from .errors import AuthError, ProtocolError, Xr2Error

STREAM_PATH = f"{API_PATH}/stream"
BACKOFF_FIRST, BACKOFF_CAP = 0.5, 30.0
HEALTHY_AFTER = 5.0
"""Seconds after which a connection counts as a good one: the next wait is short again."""
SPREAD_AFTER_RECONNECT = 0.25
"""Seconds over which clients spread their questions after all of them lost the stream at once."""
LONGEST_HEARTBEAT = 300.0


class Listener(Protocol):
    """What the stream tells, in order."""

    def hello(self, revision: int | None, begins: int | None, heartbeat: float | None, *, stale: bool) -> None:
        """The stream is open: the server is at ``revision``, what follows begins after ``begins``.

        ``stale``: it is cut off from its database, so that there may be later revisions.
        """

    def frame(self, label: str, change: Change) -> None:
        """A label delivers another text of a prompt now, or none any more."""

    def changed(self, event: dict[str, Any]) -> None:
        """A prompt changed (all that servers without bundles say)."""

    def mark(self, revision: int | None) -> None:
        """Everything up to here has been sent; without a number, everything seen so far."""

    def resync(self, revision: int | None) -> None:
        """Something was left out: only a bundle helps."""

    def garbled(self) -> None:
        """Something came that makes no sense: what was lost nobody knows."""


class Feed:
    """One connection's worth of events."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._decoder = SseDecoder(comments=True)
        self.connected = False

    def take(self, chunk: bytes) -> None:
        """Read bytes and tell what they say."""
        try:
            for event in self._decoder.feed(chunk):
                self._apply(event)
        except ProtocolError:
            self._listener.garbled()
            raise
        except ValueError as error:
            self._listener.garbled()
            raise ProtocolError(str(error)) from None

    def _apply(self, event: Event) -> None:
        if event.event == "hello":
            data = _object(event.data)
            self.connected = True
            revision, begins = _count(data.get("revision")), whole_number(event.id)
            heartbeat, stale = _seconds(data.get("heartbeat")), data.get("stale") is True
            self._listener.hello(revision, begins, heartbeat, stale=stale)
        elif not self.connected:
            return
        elif event.event == COMMENT:
            self._listener.mark(None)
        elif event.event == "put":
            self._listener.frame(*_put(_object(event.data)))
        elif event.event == "delete":
            self._listener.frame(*_delete(_object(event.data)))
        elif event.event == "mark":
            self._listener.mark(_needed(_object(event.data)))
        elif event.event == "resync":
            self._listener.resync(_count(_object(event.data).get("revision")))
        elif event.event == "changed":
            self._listener.changed(_object(event.data))


class Backoff:
    """How long to wait before the stream is tried again: longer each time, never all clients at once."""

    def __init__(self) -> None:
        self._failures = 0

    def after(self, error: Xr2Error | None, *, healthy: bool) -> float:
        """Seconds to wait, given how the last connection ended."""
        if healthy:
            self._failures = 0
        longest = min(BACKOFF_CAP, BACKOFF_FIRST * float(2**self._failures))
        self._failures = min(self._failures + 1, 10)
        wait = random.uniform(0, longest)
        asked = retry_wait(error) if error is not None else 0.0
        return asked + wait if asked else wait

    def reset(self) -> None:
        """The server is known to be back."""
        self._failures = 0


def stream_headers(settings: Settings, last_event_id: int | None) -> dict[str, str]:
    """The headers that ask for events."""
    headers = {**settings.headers, "Accept": "text/event-stream", "Cache-Control": "no-cache"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = str(last_event_id)
    return headers


def check_stream_type(content_type: str) -> None:
    """Refuse a page that something between us and the server made up."""
    if content_type.partition(";")[0].strip().lower() != "text/event-stream":
        raise ProtocolError(f"expected an event stream, got {content_type or 'no content type'}")


def refuses_the_key(error: BaseException | None) -> bool:
    """Whether the server itself says that the key is no longer good."""
    return isinstance(error, AuthError)


def _put(data: dict[str, Any]) -> tuple[str, Change]:
    item = read_item(data.get("prompt"))
    label = item.get("label") if item is not None else None
    if item is None or not isinstance(label, str):
        raise ProtocolError("the event stream puts something that is no prompt of a label")
    return label, Change(_needed(data), item["id"], item["slug"], item)


def _delete(data: dict[str, Any]) -> tuple[str, Change]:
    label, prompt_id, slug = data.get("label"), data.get("id"), data.get("slug")
    if not (isinstance(label, str) and isinstance(prompt_id, str) and isinstance(slug, str)):
        raise ProtocolError("the event stream deletes something without saying what")
    return label, Change(_needed(data), prompt_id, slug, None)


def _needed(data: dict[str, Any]) -> int:
    revision = _count(data.get("revision"))
    if revision is None:
        raise ProtocolError("the event stream tells no revision")
    return revision


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_HEARTBEAT:
        return None
    return float(value)


def _object(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("the event stream holds something that is no JSON") from None
    if not isinstance(parsed, dict):
        raise ProtocolError("the event stream holds something that is no object")
    return parsed
