"""Sending requests with httpx, blocking and asyncio, with the same retries and the same errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx

from ._settings import Settings
from ._wire import Answer, Request, read_delivery, retry_delay, unreachable
from .errors import ConnectionFailed, ProtocolError, RequestTimeout, Xr2Error

MakeClient = Callable[[], httpx.Client]
MakeAsyncClient = Callable[[], httpx.AsyncClient]


class Transport:
    """Blocking requests."""

    def __init__(self, settings: Settings, make: MakeClient | None) -> None:
        self._settings = settings
        self._make = make or httpx.Client
        self.client = self._make()

    def renew(self) -> None:
        """Drop the connections of a parent process, untouched, and begin with none."""
        self.client = self._make()

    def close(self) -> None:
        """Close every connection."""
        self.client.close()

    def call(self, request: Request, timeout: float | None = None) -> Answer:
        """Send a request, again if that may help, and read the answer."""
        deadline = _Deadline(self._settings, timeout)
        attempt = 0
        while True:
            try:
                response = self._send(request, deadline)
                return read_delivery(response.status_code, response.headers, response.content)
            except Xr2Error as error:
                delay = retry_delay(error, attempt, self._settings)
                if delay is None or not deadline.allows(delay):
                    raise
            attempt += 1
            time.sleep(delay)

    def _send(self, request: Request, deadline: _Deadline) -> httpx.Response:
        try:
            return self.client.request(
                request.method,
                self._settings.url + request.path,
                params=request.params or None,
                headers={**self._settings.headers, **request.headers},
                json=request.json,
                timeout=deadline.timeouts(),
                follow_redirects=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise explain(self._settings, error) from error
        except RuntimeError as error:
            # httpx says so when the client was closed while a request was on its way.
            raise ConnectionFailed(f"the connection was closed: {error}") from error


class AsyncTransport:
    """The same for asyncio."""

    def __init__(self, settings: Settings, make: MakeAsyncClient | None) -> None:
        self._settings = settings
        self._make = make or httpx.AsyncClient
        self.client = self._make()

    def renew(self) -> None:
        """Drop the connections of an event loop that is gone and begin with none."""
        self.client = self._make()

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()

    async def call(self, request: Request, timeout: float | None = None) -> Answer:
        """Send a request, again if that may help, and read the answer."""
        deadline = _Deadline(self._settings, timeout)
        attempt = 0
        while True:
            try:
                response = await self._send(request, deadline)
                return read_delivery(response.status_code, response.headers, response.content)
            except Xr2Error as error:
                delay = retry_delay(error, attempt, self._settings)
                if delay is None or not deadline.allows(delay):
                    raise
            attempt += 1
            await asyncio.sleep(delay)

    async def _send(self, request: Request, deadline: _Deadline) -> httpx.Response:
        try:
            return await self.client.request(
                request.method,
                self._settings.url + request.path,
                params=request.params or None,
                headers={**self._settings.headers, **request.headers},
                json=request.json,
                timeout=deadline.timeouts(),
                follow_redirects=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise explain(self._settings, error) from error
        except RuntimeError as error:
            # httpx says so when the client was closed while a request was on its way.
            raise ConnectionFailed(f"the connection was closed: {error}") from error


def explain(settings: Settings, error: Exception) -> Xr2Error:
    """Our error for what httpx raised."""
    if isinstance(error, httpx.DecodingError):
        return ProtocolError(f"the answer of {settings.url} could not be decoded: {error}")
    slow = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
    code, message = unreachable(settings, error, slow=slow)
    kind = RequestTimeout if isinstance(error, httpx.TimeoutException) else ConnectionFailed
    return kind(message, code=code if kind is ConnectionFailed else "TIMEOUT")


def stream_timeouts(settings: Settings) -> httpx.Timeout:
    """A stream may be silent for three heartbeats, then it is taken for dead."""
    return httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout, read=settings.heartbeat_deadline)


class _Deadline:
    """What is left of the time a call may take."""

    def __init__(self, settings: Settings, timeout: float | None) -> None:
        self._settings = settings
        self._ends_at = None if timeout is None else time.monotonic() + timeout

    def _left(self) -> float:
        return float("inf") if self._ends_at is None else self._ends_at - time.monotonic()

    def allows(self, delay: float) -> bool:
        return self._left() > delay

    def timeouts(self) -> httpx.Timeout:
        left = max(0.001, self._left())
        read = min(self._settings.read_timeout, left)
        return httpx.Timeout(read, connect=min(self._settings.connect_timeout, left))
