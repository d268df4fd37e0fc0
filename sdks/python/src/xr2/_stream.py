"""The one background stream of a client: a daemon thread here, a task in the asyncio client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import threading
import time
from collections.abc import Callable

import httpx

from ._engine import Engine, Slot
from ._feed import (
    SPREAD_AFTER_RECONNECT,
    STREAM_PATH,
    Backoff,
    Feed,
    check_stream_type,
    ends_the_key,
    stream_headers,
)
from ._http import AsyncTransport, Transport, explain, stream_timeouts
from ._settings import Settings
from ._wire import read_error
from .errors import ConnectionFailed, Xr2Error

log = logging.getLogger("xr2")
Refresh = Callable[[list[Slot], float], None]
"""Fetch these again in the background, the first after so many seconds."""


class StreamThread:
    """Keeps the stream open as long as the client lives."""

    def __init__(self, engine: Engine, settings: Settings, transport: Transport, refresh: Refresh) -> None:
        self._engine = engine
        self._settings = settings
        self._transport = transport
        self._refresh = refresh
        self.renew()

    def renew(self) -> None:
        """Begin anew in a child process: the thread starts again with the next call."""
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._response: httpx.Response | None = None
        self._backoff = Backoff()

    def ensure(self) -> None:
        """Start the thread unless it runs."""
        if self._thread is not None or self._closed or not self._settings.stream:
            return
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="xr2-stream", daemon=True)
                with contextlib.suppress(RuntimeError):  # the interpreter is shutting down
                    thread.start()
                self._thread = thread

    def nudge(self) -> None:
        """The server is back: do not sit out the rest of the wait."""
        self._backoff.reset()
        self._wake.set()

    def close(self) -> None:
        """End the stream, even in the middle of a read."""
        self._closed = True
        self._wake.set()
        response, thread = self._response, self._thread
        if response is not None:
            hang_up(response)
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._closed:
            feed = Feed(self._engine)
            error = self._listen(feed)
            self._engine.stream_lost()
            if self._closed:
                return
            delay = after_loss(self._engine, self._backoff, feed, error)
            self._wake.wait(delay)
            self._wake.clear()

    def _listen(self, feed: Feed) -> Xr2Error | None:
        """Read events until the connection ends; return why, None for a regular end."""
        try:
            with self._transport.client.stream(
                "GET",
                self._settings.url + STREAM_PATH,
                headers=stream_headers(self._settings),
                timeout=stream_timeouts(self._settings),
                follow_redirects=False,
            ) as response:
                self._response = response
                if self._closed:  # in the moment before there was a response to hang up on
                    return None
                if response.status_code != 200:
                    return read_error(response.status_code, response.headers, response.read())
                check_stream_type(response.headers.get("content-type", ""))
                for chunk in response.iter_bytes():
                    if self._closed:
                        break
                    slots = feed.take(chunk, time.monotonic())
                    self._refresh(slots, spread(feed))
        except Xr2Error as error:
            return error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return explain(self._settings, error)
        except Exception as error:
            # A socket closed under a read fails in ways of its own; whatever it is, the stream must go on.
            return ConnectionFailed(f"the event stream broke: {error!r}")
        finally:
            self._response = None
        return None


class StreamTask:
    """The same as a task on the running event loop."""

    def __init__(self, engine: Engine, settings: Settings, transport: AsyncTransport, refresh: Refresh) -> None:
        self._engine = engine
        self._settings = settings
        self._transport = transport
        self._refresh = refresh
        self.renew()

    def renew(self) -> None:
        """Begin anew on another event loop."""
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._backoff = Backoff()
        self._closed = False

    def ensure(self) -> None:
        """Start the task unless it runs."""
        if self._task is None and not self._closed and self._settings.stream:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="xr2-stream")

    def nudge(self) -> None:
        """The server is back: do not sit out the rest of the wait."""
        self._backoff.reset()
        self._wake.set()

    async def close(self) -> None:
        """End the stream."""
        self._closed = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while True:
                feed = Feed(self._engine)
                error = await self._listen(feed)
                self._engine.stream_lost()
                delay = after_loss(self._engine, self._backoff, feed, error)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), delay)
                self._wake.clear()
        finally:
            self._engine.stream_lost()

    async def _listen(self, feed: Feed) -> Xr2Error | None:
        """Read events until the connection ends; return why, None for a regular end."""
        try:
            async with self._transport.client.stream(
                "GET",
                self._settings.url + STREAM_PATH,
                headers=stream_headers(self._settings),
                timeout=stream_timeouts(self._settings),
                follow_redirects=False,
            ) as response:
                if response.status_code != 200:
                    return read_error(response.status_code, response.headers, await response.aread())
                check_stream_type(response.headers.get("content-type", ""))
                async for chunk in response.aiter_bytes():
                    slots = feed.take(chunk, time.monotonic())
                    self._refresh(slots, spread(feed))
        except Xr2Error as error:
            return error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            return explain(self._settings, error)
        except Exception as error:
            return ConnectionFailed(f"the event stream broke: {error!r}")
        return None


def spread(feed: Feed) -> float:
    """At once after a change; a little apart when every client has just come back."""
    return random.uniform(0, SPREAD_AFTER_RECONNECT) if feed.rejoined else 0.0


def after_loss(engine: Engine, backoff: Backoff, feed: Feed, error: Xr2Error | None) -> float:
    """Draw the conclusions from a stream that ended; return the seconds until the next attempt."""
    if ends_the_key(error):
        engine.forget_all()
    delay = backoff.after(error, was_connected=feed.connected)
    log.debug("xr2: stream ended (%s); next attempt in %.1f s", error or "closed by the server", delay)
    return delay


def hang_up(response: httpx.Response) -> None:
    """Shut the socket down, which ends a read that another thread is blocked in."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
