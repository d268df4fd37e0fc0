"""Blocking requests over an ``httpx.AsyncClient``.

The stream of a process belongs to a thread. Where all there is is a factory of asyncio clients (for a proxy, a
private CA), its client lives on an event loop in a thread of its own, and this is the way to it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

import httpx

from ._http import AsyncTransport, Connection, MakeAsyncClient, Read, stream_timeouts
from ._settings import Settings
from ._wire import Request
from .errors import ConnectionFailed

T = TypeVar("T")
_left_behind: list[asyncio.AbstractEventLoop] = []
"""Loops of a parent process: closing them here would disturb it."""


class Bridge:
    """See the module's text."""

    def __init__(self, settings: Settings, make: MakeAsyncClient) -> None:
        self._settings = settings
        self._make = make
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
        self._transport = AsyncTransport(settings, make)
        self._closed = False

    def renew(self) -> None:
        """Drop the connections of a parent process, untouched, and begin with none."""
        if self._loop is not None:
            _left_behind.append(self._loop)
        self._loop, self._starting = None, threading.Lock()
        self._transport = AsyncTransport(self._settings, self._make)

    def call(self, request: Request, read: Read[T], timeout: float | None = None, retries: int | None = None) -> T:
        """Send a request, again if that may help, and read the answer."""
        return self._run(self._transport.call(request, read, timeout, retries))

    @contextlib.contextmanager
    def stream(self, path: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Iterator[Connection]:
        """Open a stream."""
        opened = self._transport.client.stream(
            "GET",
            self._settings.url + path,
            params=params or None,
            headers=headers,
            timeout=stream_timeouts(self._settings),
            follow_redirects=False,
        )
        response = self._run(opened.__aenter__())
        try:
            yield _Bridged(self, response)
        finally:
            self._run(opened.__aexit__(None, None, None))

    def close(self) -> None:
        """Close every connection and end the loop's thread."""
        self._closed = True
        loop = self._loop
        if loop is None:
            return
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._transport.close(), loop).result(1.0)
        loop.call_soon_threadsafe(loop.stop)

    def start(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Have the loop do something."""
        if self._closed:
            work.close()
            raise ConnectionFailed("the connection was closed")
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve, args=(self._loop,), name="xr2-loop", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.start(work).result()


class _Bridged:
    """An open stream of an asyncio client."""

    def __init__(self, bridge: Bridge, response: httpx.Response) -> None:
        self._bridge = bridge
        self._response = response
        self._reading: concurrent.futures.Future[bytes | None] | None = None
        self._hung_up = False
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def read(self) -> bytes:
        return self._bridge.start(self._response.aread()).result()

    def chunks(self) -> Iterator[bytes]:
        pieces = self._response.aiter_bytes()
        while not self._hung_up:
            self._reading = self._bridge.start(_next(pieces))
            if self._hung_up:
                self._reading.cancel()
            try:
                piece = self._reading.result()
            except concurrent.futures.CancelledError:
                return
            if piece is None:
                return
            yield piece

    def hang_up(self) -> None:
        self._hung_up = True
        if self._reading is not None:
            self._reading.cancel()


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    async for piece in pieces:
        return piece
    return None


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
