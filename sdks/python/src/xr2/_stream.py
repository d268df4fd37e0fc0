"""The thread that keeps the one stream of a process open."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from ._feed import STREAM_PATH, Backoff, Feed, Listener, check_stream_type, stream_headers
from ._http import Connection, Wire, explain
from ._settings import Settings
from ._wire import read_error
from .errors import ConnectionFailed, Xr2Error

log = logging.getLogger("xr2")


@dataclass(frozen=True)
class Opening:
    """How the stream is to be opened now."""

    params: dict[str, str]
    last_event_id: int | None


class StreamOwner(Listener, Protocol):
    """Who listens, and decides what is listened to."""

    def opening(self) -> Opening:
        """How to open the stream now."""

    def opened(self) -> None:
        """A connection is about to be tried: from now on something should be heard."""

    def heard(self) -> None:
        """Some bytes came."""

    def lost(self, error: Xr2Error | None) -> None:
        """The connection is gone."""

    def healthy(self) -> bool:
        """Whether the connection was worth its name."""


class StreamThread:
    """Keeps the stream open as long as its owner lives."""

    def __init__(self, owner: StreamOwner, settings: Settings, wire: Callable[[], Wire]) -> None:
        self._owner = owner
        self._settings = settings
        self._wire = wire
        self.renew()

    def renew(self) -> None:
        """Begin anew in a child process: the thread starts again when it is needed."""
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._wake = threading.Event()
        self._closed = False
        self._at_once = False
        self._connection: Connection | None = None
        self._backoff = Backoff()

    def start(self) -> None:
        """Start the thread, which waits until it is let loose."""
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="xr2-stream", daemon=True)
            with contextlib.suppress(RuntimeError):  # the interpreter is shutting down
                self._thread.start()

    def let_loose(self) -> None:
        """What there is to know before the first connection is known now."""
        self._ready.set()

    def nudge(self) -> None:
        """The server is back: do not sit out the rest of the wait."""
        self._backoff.reset()
        self._wake.set()

    def reopen(self) -> None:
        """Open the stream in another way, at once."""
        self._at_once = True
        self._wake.set()
        self.hang_up()

    def hang_up(self) -> None:
        """End the present connection, even in the middle of a read."""
        connection = self._connection
        if connection is not None:
            connection.hang_up()

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        self._ready.set()
        self._wake.set()
        self.hang_up()
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _run(self) -> None:
        self._ready.wait()
        while not self._closed:
            self._at_once = False
            error = self._listen()
            healthy = self._owner.healthy()
            self._owner.lost(error)
            if self._closed:
                return
            delay = 0.0 if self._at_once else self._backoff.after(error, healthy=healthy)
            log.debug("xr2: stream ended (%s); next attempt in %.1f s", error or "closed by the server", delay)
            if not self._at_once:
                self._wake.wait(delay)
            self._wake.clear()

    def _listen(self) -> Xr2Error | None:
        """Read events until the connection ends; return why, None for a regular end."""
        opening = self._owner.opening()
        feed = Feed(self._owner)
        self._owner.opened()
        try:
            headers = stream_headers(self._settings, opening.last_event_id)
            with self._wire().stream(STREAM_PATH, opening.params, headers) as connection:
                self._connection = connection
                if self._closed or self._at_once:  # in the moment before there was a connection to hang up
                    return None
                self._read(connection, feed)
        except Xr2Error as error:
            return error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return explain(self._settings, error)
        except Exception as error:
            # A socket closed under a read fails in ways of its own; whatever it is, the stream must go on.
            return ConnectionFailed(f"the event stream broke: {error!r}")
        finally:
            self._connection = None
        return None

    def _read(self, connection: Connection, feed: Feed) -> None:
        if connection.status != 200:
            raise read_error(connection.status, connection.headers, connection.read())
        check_stream_type(connection.headers.get("content-type", ""))
        for chunk in connection.chunks():
            if self._closed:
                return
            self._owner.heard()
            feed.take(chunk)
