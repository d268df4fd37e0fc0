"""The asyncio client."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from ._core import (
    WATCH_PAUSE,
    Served,
    all_missing,
    at_hand,
    check_timeout,
    closed_error,
    make_key,
    note_failure,
    note_fallback,
    outage_error,
    serve_stale,
    too_slow,
    wait_limit,
)
from ._engine import Engine, Slot, Snapshot, Ticket
from ._http import AsyncTransport, MakeAsyncClient
from ._settings import Settings, settle
from ._stream import StreamTask
from ._wire import Answer, Key, delivery_request, helpful, is_outage, render_request
from .errors import ProtocolError, Xr2Error
from .fluent import AsyncPromptRequest
from .prompt import AsyncPrompt, Fallback, check_fallback, fallback_prompt

Flight = Ticket["asyncio.Future[Snapshot]"]


class AsyncXr2:
    """The asyncio twin of :class:`xr2.Xr2`: the same arguments, the same rules, coroutines instead of calls.

    The stream is a task on the running event loop. A client that is used on another loop (a second
    ``asyncio.run``) keeps its memory and opens new connections.
    """

    def __init__(
        self,
        api_key: str | None = None,
        url: str | None = None,
        *,
        label: str = "production",
        cache_size: int = 1000,
        max_age: float = 1.0,
        connect_timeout: float = 2.0,
        read_timeout: float = 5.0,
        retries: int = 2,
        stream: bool = True,
        client_factory: MakeAsyncClient | None = None,
    ) -> None:
        self._settings = settle(
            api_key=api_key, url=url, label=label, cache_size=cache_size, max_age=max_age, retries=retries,
            connect_timeout=connect_timeout, read_timeout=read_timeout, stream=stream,
        )  # fmt: skip
        self._core = AsyncCore(self._settings, client_factory)

    async def get(
        self,
        slug: str,
        *,
        label: str | None = None,
        version: int | None = None,
        user_id: str | None = None,
        optimized_for: str | None = None,
        fallback: Fallback | None = None,
        timeout: float | None = None,
    ) -> AsyncPrompt:
        """As :meth:`xr2.Xr2.get`."""
        key = make_key(self._settings, slug, label, version, user_id, optimized_for)
        check_timeout(timeout)
        check_fallback(fallback)
        core = self._core
        try:
            served = await core.fetch(key, timeout, patient=fallback is None)
        except Xr2Error as error:
            if fallback is None or core.closed:
                raise
            note_fallback(key, error, core.told)
            prompt: AsyncPrompt = fallback_prompt(AsyncPrompt, fallback, key, error)
            return prompt
        core.told.discard(key)
        snapshot = served.snapshot
        return AsyncPrompt(
            snapshot.data, meta=snapshot.meta, key=key, source=served.source, stale=served.stale,
            fallback=fallback, call=core.render,
        )  # fmt: skip

    async def get_many(
        self,
        slugs: Iterable[str],
        *,
        label: str | None = None,
        user_id: str | None = None,
        fallbacks: Mapping[str, Fallback] | None = None,
        timeout: float | None = None,
    ) -> dict[str, AsyncPrompt]:
        """As :meth:`xr2.Xr2.get_many`."""
        wanted = list(dict.fromkeys(slugs))
        given = fallbacks or {}
        results = await asyncio.gather(
            *(
                self.get(slug, label=label, user_id=user_id, fallback=given.get(slug), timeout=timeout)
                for slug in wanted
            ),
            return_exceptions=True,
        )
        found: dict[str, AsyncPrompt] = {}
        failed: dict[str, Xr2Error] = {}
        for slug, result in zip(wanted, results, strict=True):
            if isinstance(result, AsyncPrompt):
                found[slug] = result
            elif isinstance(result, Xr2Error):
                failed[slug] = result
            else:
                raise result
        if failed:
            raise all_missing(failed)
        return found

    def get_prompt(self, slug: str) -> AsyncPromptRequest:
        """The fluent form; await it, or its ``get()``."""
        return AsyncPromptRequest(self, slug)

    async def watch(
        self,
        slug: str,
        *,
        label: str | None = None,
        user_id: str | None = None,
        fallback: Fallback | None = None,
    ) -> AsyncIterator[AsyncPrompt]:
        """The prompt now, and again each time its text changes."""
        news = asyncio.Event()
        listeners = self._core.engine.listeners
        listeners.add(news.set)
        try:
            last: tuple[Any, ...] | None = None
            while True:
                news.clear()
                prompt = await self.get(slug, label=label, user_id=user_id, fallback=fallback)
                mark = (prompt.version, prompt.content, prompt.messages, prompt.config)
                if mark != last:
                    last = mark
                    yield prompt
                    continue
                try:
                    await asyncio.wait_for(news.wait(), WATCH_PAUSE)
                except asyncio.TimeoutError:
                    continue
        finally:
            listeners.discard(news.set)

    @property
    def connected(self) -> bool:
        """Whether the stream is open: changes arrive by themselves. If not, texts are at most a second old."""
        return self._core.engine.stream.live

    async def close(self) -> None:
        """End the stream and close the connections. The client cannot be used afterwards."""
        await self._core.close()

    async def __aenter__(self) -> AsyncXr2:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncXr2({self._settings!r})"


class AsyncCore:
    """The moving parts behind an :class:`AsyncXr2`."""

    def __init__(self, settings: Settings, client_factory: MakeAsyncClient | None) -> None:
        self.settings = settings
        self.engine = Engine(settings.cache_size, settings.max_age)
        self.transport = AsyncTransport(settings, client_factory)
        self.stream = StreamTask(self.engine, settings, self.transport, self.refresh)
        self.closed = False
        self.told: set[Key] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def _attach(self) -> None:
        """Make sure that tasks and connections belong to the event loop that is running."""
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is not None:
            self.engine.abandon_flights()
            self.transport.renew()
            self.stream.renew()
            self._tasks = set()
        self._loop = loop

    async def close(self) -> None:
        """Stop everything."""
        self.closed = True
        self._attach()
        await self.stream.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.close()

    async def fetch(self, key: Key, timeout: float | None, *, patient: bool) -> Served:
        """A current snapshot, or the last good one if the server cannot be reached."""
        if self.closed:
            raise closed_error()
        self._attach()
        self.stream.ensure()
        now = time.monotonic()
        found = self.engine.look(key, now)
        served = at_hand(self.engine, found, now)
        if served is not None:
            if self.engine.is_due(found, now):
                self._fly(found.slot, now)
            return served
        if self.engine.in_outage and (found.snapshot is not None or not patient):
            return self._without_waiting(found.slot, now)
        flight = self._fly(found.slot, now)
        limit = wait_limit(found, flight.started_at, timeout, now)
        try:
            # Shielded: a caller who gives up or is cancelled must not end the fetch that others wait for.
            return Served(await asyncio.wait_for(asyncio.shield(flight.handle), limit), "api")
        except asyncio.TimeoutError:
            if found.snapshot is None:
                raise too_slow(key, self.settings) from None
            return Served(found.snapshot, "cache", stale=True)
        except Xr2Error as error:
            stale = serve_stale(found, error)
            if stale is None:
                raise copy.copy(error) from error.__cause__
            return stale

    def _without_waiting(self, slot: Slot, now: float) -> Served:
        """In an outage nobody waits: one fetch probes in the background, callers get what there is."""
        held = slot.snapshot
        error = outage_error(self.engine, self.settings)
        if not self.engine.must_wait(now):
            self._fly(slot, now)
        if held is None:
            raise copy.copy(error) from error.__cause__
        return Served(held, "cache", stale=True)

    def refresh(self, slots: list[Slot], delay: float) -> None:
        """Fetch these again in the background."""
        if not slots or self.closed:
            return
        if delay:
            asyncio.get_running_loop().call_later(delay, self.refresh, slots, 0.0)
            return
        for slot in slots:
            self._fly(slot, time.monotonic())

    def _fly(self, slot: Slot, now: float) -> Flight:
        loop = asyncio.get_running_loop()
        flight, mine = self.engine.join(slot, now, loop.create_future)
        if mine:
            task = loop.create_task(self._run(flight), name="xr2-fetch")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return flight

    async def _run(self, flight: Flight) -> None:
        was_down = self.engine.in_outage
        try:
            snapshot, again = await self._ask(flight)
        except Xr2Error as error:
            outage = is_outage(error)
            first = self.engine.fail(flight, error, time.monotonic(), outage=outage)
            note_failure(error, first=first and not self.closed)
            _settle(flight, helpful(error, flight.slot.key))
            return
        except BaseException as error:
            self.engine.fail(flight, error, time.monotonic(), outage=True)
            _settle(flight, closed_error() if isinstance(error, asyncio.CancelledError) else error)
            raise
        if not flight.handle.done():
            flight.handle.set_result(snapshot)
        if was_down and not self.engine.stream.live:
            self.stream.nudge()
        if again and not self.closed:
            self._fly(flight.slot, time.monotonic())

    async def _ask(self, flight: Flight) -> tuple[Snapshot, bool]:
        for _ in range(2):
            request = delivery_request(flight.slot.key, flight.etag, flight.min_revision)
            landing = self.engine.land(flight, await self.transport.call(request), time.monotonic())
            if landing.snapshot is not None:
                return landing.snapshot, landing.again
        raise ProtocolError("the server says “not modified” about something it was not asked to compare")

    async def render(self, prompt: str, body: Mapping[str, Any]) -> Answer:
        """Render on the server."""
        if self.closed:
            raise closed_error()
        self._attach()
        return await self.transport.call(render_request(prompt, body))


def _settle(flight: Flight, error: BaseException) -> None:
    """Tell the waiters; where there are none, nobody is to be warned of an exception never looked at."""
    if not flight.handle.done():
        flight.handle.set_exception(error)
        flight.handle.exception()
