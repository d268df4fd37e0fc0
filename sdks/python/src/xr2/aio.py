"""The asyncio client."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import time
import weakref
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import Future
from time import perf_counter_ns
from typing import Any

from ._core import (
    STALE_WAIT,
    WATCH_PAUSE,
    ClientCore,
    Served,
    Waiting,
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
from ._engine import Slot, Ticket
from ._http import AsyncTransport, MakeAsyncClient
from ._otel import mark_span
from ._registry import in_background, registry
from ._settings import Settings, settle
from ._snapshot import Snapshot
from ._wire import Answer, Key, delivery_request, helpful, is_outage, read_delivery, render_request
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
        telemetry: bool = True,
        snapshot: str | os.PathLike[str] | None = None,
        bundle_limit: int = 10_000,
        client_factory: MakeAsyncClient | None = None,
    ) -> None:
        self._settings = settle(
            api_key=api_key, url=url, label=label, cache_size=cache_size, max_age=max_age, retries=retries,
            connect_timeout=connect_timeout, read_timeout=read_timeout, stream=stream,
            telemetry=telemetry, snapshot=snapshot, bundle_limit=bundle_limit,
        )  # fmt: skip
        self._label = self._settings.label
        self._core = AsyncCore(self._settings, client_factory)
        # A client that is let go of without close() leaves its hub, without making the event loop wait.
        self._finalizer = weakref.finalize(self, in_background, self._core.leave)
        self._finalizer.atexit = False

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
        core, started = self._core, perf_counter_ns()
        if version is None and optimized_for is None:
            # The usual case, kept short: the bundle is in memory and the stream vouches for it.
            table = core.hub.tables.get(label or self._label)
            if table is not None and table.live and label != "" and (timeout is None or timeout > 0):
                found = table.entries.get(slug)
                if found is not None and not core.closed:
                    if fallback is not None:
                        check_fallback(fallback)
                    snapshot, key = found
                    if core.count is not None:
                        core.count(snapshot, started)
                    if user_id:
                        key = Key(key.slug, key.label, user_id=user_id)
                    if core.told:
                        core.told.discard(key)
                    mark_span(snapshot.data, slug, label)
                    return AsyncPrompt(
                        snapshot.data, key=key, source="stream", fallback=fallback, call=core.render, origin=snapshot
                    )
        key = make_key(self._settings, slug, label, version, user_id, optimized_for)
        check_timeout(timeout)
        check_fallback(fallback)
        return await self._get(key, fallback, timeout)

    async def _get(self, key: Key, fallback: Fallback | None, timeout: float | None) -> AsyncPrompt:
        core, started = self._core, perf_counter_ns()
        try:
            served = await core.fetch(key, timeout, patient=fallback is None)
        except Xr2Error as error:
            if fallback is None or core.closed:
                raise
            note_fallback(key, error, core.told)
            mark_span({}, key.slug, key.label)
            prompt: AsyncPrompt = fallback_prompt(AsyncPrompt, fallback, key, error)
            return prompt
        core.told.discard(key)
        snapshot = served.snapshot
        if core.count is not None and not served.counted:
            core.count(snapshot, started)
        mark_span(snapshot.data, key.slug, key.label)
        return AsyncPrompt(
            snapshot.data, meta=snapshot.meta, key=key, source=served.source, stale=served.stale,
            fallback=fallback, call=core.render, origin=snapshot,
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
        check_timeout(timeout)
        if len(wanted) > 1:
            await self._core.await_bundle(make_key(self._settings, wanted[0], label, None, user_id, None), timeout)
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
        news, loop = asyncio.Event(), self._core.attach()
        listeners = self._core.engine.listeners

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(news.set)

        listeners.add(wake)
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
            listeners.discard(wake)

    @property
    def connected(self) -> bool:
        """Whether the stream is open: changes arrive by themselves. If not, texts are at most a second old."""
        return self._core.hub.in_touch

    async def close(self) -> None:
        """End the stream and close the connections. The client cannot be used afterwards."""
        self._finalizer.detach()
        await self._core.close()

    async def __aenter__(self) -> AsyncXr2:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncXr2({self._settings!r})"


class AsyncCore(ClientCore):
    """The moving parts behind an :class:`AsyncXr2`."""

    def __init__(self, settings: Settings, client_factory: MakeAsyncClient | None) -> None:
        self.transport = AsyncTransport(settings, client_factory)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__(settings, make_async=client_factory)

    def attach(self) -> asyncio.AbstractEventLoop:
        """Make sure that tasks and connections belong to the event loop that is running."""
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return loop
        if self._loop is not None:
            self.engine.abandon_flights()
            self.transport.renew()
            self._tasks = set()
        self._loop = loop
        return loop

    async def close(self) -> None:
        """Stop everything. The last report of the hub may take a second: not on the event loop's time."""
        self.closed = True
        self.attach()
        await asyncio.to_thread(self.leave)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.close()

    def leave(self) -> None:
        """Need the hub no more."""
        registry.leave(self.hub, self)

    async def fetch(self, key: Key, timeout: float | None, *, patient: bool) -> Served:
        """A current snapshot, or the last good one if the server cannot be reached."""
        if self.closed:
            raise closed_error()
        self.attach()
        now = time.monotonic()
        reading = self.reading(key)
        if reading is not None:
            if not await _arrives(reading, timeout):
                raise too_slow(key, self.settings)
            before, now = now, time.monotonic()
            timeout = None if timeout is None else max(0.001, timeout - (now - before))
        held = self.from_table(key, now)
        if isinstance(held, Waiting):
            held = await self._wait(held, timeout, now)
        return held if held is not None else await self._fetch_one(key, timeout, now, patient=patient)

    async def _wait(self, waiting: Waiting, timeout: float | None, now: float) -> Served | None:
        done = asyncio.wrap_future(waiting.loading.done)
        try:
            # Shielded: a caller who gives up or is cancelled must not end the fetch that others wait for.
            await asyncio.wait_for(asyncio.shield(done), waiting.limit(timeout, now))
        except asyncio.TimeoutError:
            done.add_done_callback(_look_at_it)
            return waiting.unconfirmed()
        except Xr2Error as error:
            return waiting.after(error)
        return waiting.confirmed()

    async def _fetch_one(self, key: Key, timeout: float | None, now: float, *, patient: bool) -> Served:
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
            # Shielded, as above.
            return Served(await asyncio.wait_for(asyncio.shield(flight.handle), limit), "api", counted=True)
        except asyncio.TimeoutError:
            if found.snapshot is None:
                raise too_slow(key, self.settings) from None
            return Served(found.snapshot, "cache", stale=True)
        except Xr2Error as error:
            stale = serve_stale(found, error)
            if stale is None:
                raise copy.copy(error) from error.__cause__
            return stale

    async def await_bundle(self, key: Key, timeout: float | None) -> None:
        """For many prompts one bundle is quicker than many requests, if it comes soon."""
        patience = STALE_WAIT if timeout is None else min(STALE_WAIT, timeout / 2)
        reading = None if self.closed else self.reading(key)
        if self.closed or (reading is not None and not await _arrives(reading, patience)):
            return
        loading = self.coming(key, time.monotonic())
        if loading is not None:
            await _arrives(loading.done, patience)

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
        """Fetch these again in the background. Called from the hub's threads."""
        if slots and self._loop is not None and not self.closed:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._refresh, slots, delay)

    def _refresh(self, slots: list[Slot], delay: float) -> None:
        if self.closed:
            return
        if delay:
            asyncio.get_running_loop().call_later(delay, self._refresh, slots, 0.0)
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
            self.note_refusal(flight.slot.key, error)
            _settle(flight, helpful(error, flight.slot.key))
            return
        except BaseException as error:
            self.engine.fail(flight, error, time.monotonic(), outage=True)
            _settle(flight, closed_error() if isinstance(error, asyncio.CancelledError) else error)
            raise
        if not flight.handle.done():
            flight.handle.set_result(snapshot)
        if was_down and not self.hub.connected:
            self.hub.stream.nudge()
        if again and not self.closed:
            self._fly(flight.slot, time.monotonic())

    async def _ask(self, flight: Flight) -> tuple[Snapshot, bool]:
        for _ in range(2):
            request = delivery_request(flight.slot.key, flight.etag, flight.min_revision)
            landing = self.engine.land(flight, await self.transport.call(request, read_delivery), time.monotonic())
            if landing.snapshot is not None:
                return landing.snapshot, landing.again
        raise ProtocolError("the server says “not modified” about something it was not asked to compare")

    async def render(self, prompt: str, body: Mapping[str, Any]) -> Answer:
        """Render on the server."""
        if self.closed:
            raise closed_error()
        self.attach()
        return await self.transport.call(render_request(prompt, body), read_delivery)


def _settle(flight: Flight, error: BaseException) -> None:
    """Tell the waiters; where there are none, nobody is to be warned of an exception never looked at."""
    if not flight.handle.done():
        flight.handle.set_exception(error)
        flight.handle.exception()


async def _arrives(awaited: Future[None], patience: float | None) -> bool:
    """Wait for what another thread does, whether it comes to good or not; False where patience ended first."""
    done = asyncio.wrap_future(awaited)
    done.add_done_callback(_look_at_it)
    return bool((await asyncio.wait([done], timeout=patience))[0])


def _look_at_it(done: asyncio.Future[None]) -> None:
    """Nobody waits any more, and nobody is to be warned of an exception never looked at."""
    if not done.cancelled():
        done.exception()
