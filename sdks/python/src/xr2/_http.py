"""Sending requests with httpx, blocking and asyncio, with the same retries and the same errors."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar

import httpx

from ._settings import Settings
from ._wire import Request, retry_delay, unreachable
from .errors import ConnectionFailed, ProtocolError, RequestTimeout, Xr2Error

MakeClient = Callable[[], httpx.Client]
MakeAsyncClient = Callable[[], httpx.AsyncClient]
T = TypeVar("T")
Read = Callable[[int, Mapping[str, str], bytes], T]
"""Makes something of status, headers and body, or raises what is wrong with them."""


class Connection(Protocol):
    """An open stream."""

    status: int
    headers: Mapping[str, str]

    def read(self) -> bytes:
        """The whole body, where it is an error."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they come."""

    def hang_up(self) -> None:
        """End it from another thread, in the middle of a read."""


class Wire(Protocol):
    """Blocking requests and streams, whatever kind of httpx client is behind them."""

    def call(self, request: Request, read: Read[T], timeout: float | None = None, retries: int | None = None) -> T:
        """Send a request, again if that may help, and read the answer."""

    def stream(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> contextlib.AbstractContextManager[Connection]:
        """Open a stream."""

    def renew(self) -> None:
        """Drop the connections of a parent process."""

    def close(self) -> None:
        """Close every connection."""


class Transport:
    """Blocking requests."""

    def __init__(self, settings: Settings, make: MakeClient | None) -> None:
        self._settings = settings
        self._make = make or httpx.Client
        self._closed = False
        self._client: httpx.Client | None = None
        self._making = threading.Lock()

    @property
    def client(self) -> httpx.Client:
        """The httpx client, made when it is first needed: reading the system's certificates takes its time."""
        with self._making:
            if self._closed:
                raise ConnectionFailed("the connection was closed")
            if self._client is None:
                self._client = self._make()
            return self._client

    def renew(self) -> None:
        """Drop the connections of a parent process, untouched, and begin with none."""
        self._client, self._making = None, threading.Lock()

    def close(self) -> None:
        """Close every connection."""
        with self._making:
            self._closed = True
        if self._client is not None:
            self._client.close()

    def call(self, request: Request, read: Read[T], timeout: float | None = None, retries: int | None = None) -> T:
        """Send a request, again if that may help, and read the answer."""
        deadline = Deadline(self._settings, timeout)
        attempt = 0
        while True:
            try:
                response = self._send(request, deadline)
                return read(response.status_code, response.headers, response.content)
            except Xr2Error as error:
                delay = retry_delay(error, attempt, self._settings.retries if retries is None else retries)
                if delay is None or not deadline.allows(delay):
                    raise
            attempt += 1
            time.sleep(delay)

    def _send(self, request: Request, deadline: Deadline) -> httpx.Response:
        with errors_explained(self._settings):
            return self.client.request(
                request.method,
                self._settings.url + request.path,
                params=request.params or None,
                headers={**self._settings.headers, **request.headers},
                json=request.json,
                timeout=deadline.timeouts(),
                follow_redirects=False,
            )

    @contextlib.contextmanager
    def stream(self, path: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Iterator[Connection]:
        """Open a stream."""
        with self.client.stream(
            "GET",
            self._settings.url + path,
            params=params or None,
            headers=headers,
            timeout=stream_timeouts(self._settings),
            follow_redirects=False,
        ) as response:
            yield _Open(response)


class _Open:
    """An open stream of a blocking client."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def read(self) -> bytes:
        return self._response.read()

    def chunks(self) -> Iterator[bytes]:
        return self._response.iter_bytes()

    def hang_up(self) -> None:
        # Shutting the socket down ends a read that another thread is blocked in.
        stream = self._response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class AsyncTransport:
    """The same for asyncio."""

    def __init__(self, settings: Settings, make: MakeAsyncClient | None) -> None:
        self._settings = settings
        self._make = make or httpx.AsyncClient
        self._client: httpx.AsyncClient | None = None

    @property
    def client(self) -> httpx.AsyncClient:
        """The httpx client, made when it is first needed."""
        if self._client is None:
            self._client = self._make()
        return self._client

    def renew(self) -> None:
        """Drop the connections of an event loop that is gone and begin with none."""
        self._client = None

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()

    async def call(
        self, request: Request, read: Read[T], timeout: float | None = None, retries: int | None = None
    ) -> T:
        """Send a request, again if that may help, and read the answer."""
        deadline = Deadline(self._settings, timeout)
        attempt = 0
        while True:
            try:
                response = await self._send(request, deadline)
                return read(response.status_code, response.headers, response.content)
            except Xr2Error as error:
                delay = retry_delay(error, attempt, self._settings.retries if retries is None else retries)
                if delay is None or not deadline.allows(delay):
                    raise
            attempt += 1
            await asyncio.sleep(delay)

    async def _send(self, request: Request, deadline: Deadline) -> httpx.Response:
        with errors_explained(self._settings):
            return await self.client.request(
                request.method,
                self._settings.url + request.path,
                params=request.params or None,
                headers={**self._settings.headers, **request.headers},
                json=request.json,
                timeout=deadline.timeouts(),
                follow_redirects=False,
            )


@contextlib.contextmanager
def errors_explained(settings: Settings) -> Iterator[None]:
    """Our errors for httpx's."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise explain(settings, error) from error
    except RuntimeError as error:
        # httpx says so when the client was closed while a request was on its way.
        if isinstance(error, Xr2Error):
            raise
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
    """The keeper hangs up after three heartbeats, whatever they are; this is for the case that it cannot."""
    return httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout, read=settings.silence_limit)


class Deadline:
    """What is left of the time a call may take."""

    def __init__(self, settings: Settings, timeout: float | None) -> None:
        self._settings = settings
        self._ends_at = None if timeout is None else time.monotonic() + timeout

    def _left(self) -> float:
        return float("inf") if self._ends_at is None else self._ends_at - time.monotonic()

    def allows(self, delay: float) -> bool:
        """Whether there is time for a wait."""
        return self._left() > delay

    def timeouts(self) -> httpx.Timeout:
        """The timeouts of the next attempt."""
        left = max(0.001, self._left())
        read = min(self._settings.read_timeout, left)
        return httpx.Timeout(read, connect=min(self._settings.connect_timeout, left))
