"""A server-sent events decoder that does no input or output of its own.

Feed it bytes in whatever pieces the network cuts them into; it gives back whole events. Line ends may be
LF, CR or CRLF, also cut in the middle; a byte order mark at the start is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_LINE = 8 << 20
"""No xr2 event is anywhere near this long (a frame carries one prompt); a longer one is not our stream."""
COMMENT = ":"
"""The name under which comments are given, where they are asked for: xr2's heartbeats are comments."""


@dataclass(frozen=True)
class Event:
    """One event of the stream."""

    event: str
    data: str
    id: str


class SseDecoder:
    """Turns a byte stream into events."""

    def __init__(self, *, comments: bool = False) -> None:
        self._comments = comments
        self._size = 0
        self.last_event_id = ""
        self.retry: float | None = None
        self._line = bytearray()
        self._after_cr = False
        self._first_line = True
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes; return the events that are complete with them."""
        events: list[Event] = []
        # bytes.splitlines cuts at LF, CR and CRLF and nowhere else, which is what the format wants.
        for piece in chunk.splitlines(keepends=True):
            self._take(piece, events)
        return events

    def _take(self, piece: bytes, events: list[Event]) -> None:
        if self._after_cr:
            self._after_cr = False
            if piece == b"\n":
                return
        ended = piece.endswith((b"\n", b"\r"))
        self._line += piece.rstrip(b"\r\n") if ended else piece
        if len(self._line) > MAX_LINE:
            raise ValueError("a line of the event stream is too long")
        if not ended:
            return
        self._after_cr = piece.endswith(b"\r")
        line = bytes(self._line)
        self._line.clear()
        event = self._end_line(line)
        if event is not None:
            events.append(event)

    def _end_line(self, raw: bytes) -> Event | None:
        if self._first_line:
            self._first_line = False
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        line = raw.decode("utf-8", "replace")
        if not line:
            return self._dispatch()
        if line.startswith(":"):
            return Event(COMMENT, line[1:], self.last_event_id) if self._comments else None
        name, _, value = line.partition(":")
        self._field(name, value.removeprefix(" "))
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._size += len(value)
            if self._size > MAX_LINE:
                raise ValueError("an event of the stream is too long")
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_event_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value[:9]) / 1000

    def _dispatch(self) -> Event | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = "", [], 0
        if not data:
            return None
        return Event(event or "message", "\n".join(data), self.last_event_id)
