"""The blocking client."""

from __future__ import annotations

import concurrent.futures
import copy
import os
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitTimeout
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
from ._http import MakeClient, Transport
from ._otel import mark_span
from ._registry import CLOSE_PATIENCE, registry
from ._settings import Settings, settle
from ._snapshot import Snapshot
from ._wire import Answer, Key, delivery_request, helpful, is_outage, read_delivery, render_request
from ._workers import Workers
from .errors import ProtocolError, Xr2Error
from .fluent import PromptRequest
from .prompt import Fallback, Prompt, check_fallback, fallback_prompt

Flight = Ticket["Future[Snapshot]"]


class Xr2:
    """A client of one xr2 workspace. Safe to share between threads, and across ``os.fork()``.

    ``api_key`` and ``url`` default to the environment's ``XR2_API_KEY`` and ``XR2_URL`` (else
    ``http://localhost:8000``). With the first call all prompts of the label are fetched in the background, and one
    stream to the server is opened in a daemon thread; through it every published change reaches memory within
    milliseconds. All clients of the same key in a process share both.

    ``snapshot`` names a file that keeps the prompts for starts without the server (default: ``XR2_SNAPSHOT``).
    ``telemetry`` tells the server how often prompts are read from memory, and which revision is in use.
    ``bundle_limit``: of labels with more prompts than this, each prompt is fetched when it is asked for.
    ``client_factory`` makes the ``httpx.Client`` (for a proxy, a private CA, client certificates).
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
        client_factory: MakeClient | None = None,
    ) -> None:
        self._settings = settle(
            api_key=api_key, url=url, label=label, cache_size=cache_size, max_age=max_age, retries=retries,
            connect_timeout=connect_timeout, read_timeout=read_timeout, stream=stream,
            telemetry=telemetry, snapshot=snapshot, bundle_limit=bundle_limit,
        )  # fmt: skip
        self._label = self._settings.label
        self._core = Core(self._settings, client_factory)
        # The threads hold the core and not the client, so a client that is let go of ends them.
        self._finalizer = weakref.finalize(self, self._core.close)

    def get(
        self,
        slug: str,
        *,
        label: str | None = None,
        version: int | None = None,
        user_id: str | None = None,
        optimized_for: str | None = None,
        fallback: Fallback | None = None,
        timeout: float | None = None,
    ) -> Prompt:
        """Get a prompt by label (``production`` unless said otherwise) or by version.

        From memory when the copy is current, else from the server; ``source`` says which. ``fallback`` (a text or
        chat messages) is returned where an error would be raised. ``timeout`` bounds the whole call, in seconds.
        """
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
                    return Prompt(
                        snapshot.data, key=key, source="stream", fallback=fallback, call=core.render, origin=snapshot
                    )
        key = make_key(self._settings, slug, label, version, user_id, optimized_for)
        check_timeout(timeout)
        check_fallback(fallback)
        return self._get(key, fallback, timeout)

    def _get(self, key: Key, fallback: Fallback | None, timeout: float | None) -> Prompt:
        core, started = self._core, perf_counter_ns()
        try:
            served = core.fetch(key, timeout, patient=fallback is None)
        except Xr2Error as error:
            if fallback is None or core.closed:
                raise
            note_fallback(key, error, core.told)
            mark_span({}, key.slug, key.label)
            prompt: Prompt = fallback_prompt(Prompt, fallback, key, error)
            return prompt
        core.told.discard(key)
        snapshot = served.snapshot
        if core.count is not None and not served.counted:
            core.count(snapshot, started)
        mark_span(snapshot.data, key.slug, key.label)
        return Prompt(
            snapshot.data, meta=snapshot.meta, key=key, source=served.source, stale=served.stale,
            fallback=fallback, call=core.render, origin=snapshot,
        )  # fmt: skip

    def get_many(
        self,
        slugs: Iterable[str],
        *,
        label: str | None = None,
        user_id: str | None = None,
        fallbacks: Mapping[str, Fallback] | None = None,
        timeout: float | None = None,
    ) -> dict[str, Prompt]:
        """Get several prompts at once, fetched side by side. What cannot be had is told in one error."""
        wanted = list(dict.fromkeys(slugs))
        keys = [make_key(self._settings, slug, label, None, user_id, None) for slug in wanted]
        check_timeout(timeout)
        if len(wanted) > 1:
            self._core.await_bundle(keys[0], timeout)
        self._core.start_fetching(keys)
        found: dict[str, Prompt] = {}
        failed: dict[str, Xr2Error] = {}
        ends_at = None if timeout is None else time.monotonic() + timeout
        for slug in wanted:
            left = None if ends_at is None else max(0.001, ends_at - time.monotonic())
            fallback = (fallbacks or {}).get(slug)
            try:
                found[slug] = self.get(slug, label=label, user_id=user_id, fallback=fallback, timeout=left)
            except Xr2Error as error:
                failed[slug] = error
        if failed:
            raise all_missing(failed)
        return found

    def get_prompt(self, slug: str) -> PromptRequest:
        """The fluent form: ``client.get_prompt("welcome").with_variables({...}).fallback("welcome-generic")``.

        Nothing is fetched until the text is looked at (``.text``, ``.messages``, ``str()``, ``.get()``), and every
        look gives the present text. Here ``fallback`` names another prompt.
        """
        return PromptRequest(self, slug)

    def watch(
        self,
        slug: str,
        *,
        label: str | None = None,
        user_id: str | None = None,
        fallback: Fallback | None = None,
    ) -> Iterator[Prompt]:
        """The prompt now, and again each time its text changes. Blocks in between, for ever."""
        news = threading.Event()
        listeners = self._core.engine.listeners
        listeners.add(news.set)
        try:
            last: tuple[Any, ...] | None = None
            while True:
                news.clear()
                prompt = self.get(slug, label=label, user_id=user_id, fallback=fallback)
                mark = (prompt.version, prompt.content, prompt.messages, prompt.config)
                if mark != last:
                    last = mark
                    yield prompt
                    continue
                news.wait(WATCH_PAUSE)
        finally:
            listeners.discard(news.set)

    @property
    def connected(self) -> bool:
        """Whether the stream is open: changes arrive by themselves. If not, texts are at most a second old."""
        return self._core.hub.in_touch

    def close(self) -> None:
        """End the stream and close the connections. The client cannot be used afterwards."""
        self._finalizer()

    def __enter__(self) -> Xr2:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Xr2({self._settings!r})"


class Core(ClientCore):
    """The moving parts behind an :class:`Xr2`."""

    def __init__(self, settings: Settings, client_factory: MakeClient | None) -> None:
        self.transport = Transport(settings, client_factory)
        self.workers = Workers()
        super().__init__(settings, client_factory)
        self.engine.on_fork = self._forked

    def _forked(self) -> None:
        self.transport.renew()
        self.workers.renew()

    def close(self) -> None:
        """Stop everything. Connections come last: one that is just being made would be left open."""
        self.closed = True
        registry.leave(self.hub, self)
        self.workers.close(CLOSE_PATIENCE)
        self.transport.close()

    def fetch(self, key: Key, timeout: float | None, *, patient: bool) -> Served:
        """A current snapshot, or the last good one if the server cannot be reached."""
        if self.closed:
            raise closed_error()
        now = time.monotonic()
        reading = self.reading(key)
        if reading is not None:
            if concurrent.futures.wait([reading], timeout).not_done:
                raise too_slow(key, self.settings)
            before, now = now, time.monotonic()
            timeout = None if timeout is None else max(0.001, timeout - (now - before))
        held = self.from_table(key, now)
        if isinstance(held, Waiting):
            held = self._wait(held, timeout, now)
        return held if held is not None else self._fetch_one(key, timeout, now, patient=patient)

    def _wait(self, waiting: Waiting, timeout: float | None, now: float) -> Served | None:
        try:
            waiting.loading.done.result(waiting.limit(timeout, now))
        except WaitTimeout:
            return waiting.unconfirmed()
        except Xr2Error as error:
            return waiting.after(error)
        return waiting.confirmed()

    def _fetch_one(self, key: Key, timeout: float | None, now: float, *, patient: bool) -> Served:
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
            return Served(flight.handle.result(limit), "api", counted=True)
        except WaitTimeout:
            if found.snapshot is None:
                raise too_slow(key, self.settings) from None
            return Served(found.snapshot, "cache", stale=True)
        except Xr2Error as error:
            stale = serve_stale(found, error)
            if stale is None:
                # Several callers may wait for one fetch: each gets an exception of their own.
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

    def await_bundle(self, key: Key, timeout: float | None) -> None:
        """For many prompts one bundle is quicker than many requests, if it comes soon."""
        patience = STALE_WAIT if timeout is None else min(STALE_WAIT, timeout / 2)
        reading = None if self.closed else self.reading(key)
        if self.closed or (reading is not None and concurrent.futures.wait([reading], patience).not_done):
            return
        loading = self.coming(key, time.monotonic())
        if loading is not None:
            concurrent.futures.wait([loading.done], patience)

    def start_fetching(self, keys: list[Key]) -> None:
        """Begin to fetch whatever is not at hand, without waiting for any of it."""
        now = time.monotonic()
        for key in keys:
            if self.closed or self.reading(key) is not None or self._is_settled(key, now):
                continue
            found = self.engine.look(key, now)
            if at_hand(self.engine, found, now) is None:
                self._fly(found.slot, now)

    def _is_settled(self, key: Key, now: float) -> bool:
        try:
            return self.from_table(key, now) is not None
        except Xr2Error:  # known not to be there
            return True

    def refresh(self, slots: list[Slot], delay: float) -> None:
        """Fetch these again in the background."""
        if not slots or self.closed:
            return
        if delay:
            # Not here: this is the thread that reads the stream.
            self.workers.submit(lambda: self._refresh_later(slots, delay))
            return
        for slot in slots:
            self._fly(slot, time.monotonic())

    def _refresh_later(self, slots: list[Slot], delay: float) -> None:
        time.sleep(delay)
        self.refresh(slots, 0.0)

    def _fly(self, slot: Slot, now: float) -> Flight:
        make: type[Future[Snapshot]] = Future
        flight, mine = self.engine.join(slot, now, make)
        if mine:
            self.workers.submit(lambda: self._run(flight))
        return flight

    def _run(self, flight: Flight) -> None:
        was_down = self.engine.in_outage
        try:
            snapshot, again = self._ask(flight)
        except Xr2Error as error:
            outage = is_outage(error)
            first = self.engine.fail(flight, error, time.monotonic(), outage=outage)
            note_failure(error, first=first and not self.closed)
            self.note_refusal(flight.slot.key, error)
            flight.handle.set_exception(helpful(error, flight.slot.key))
            return
        except BaseException as error:
            self.engine.fail(flight, error, time.monotonic(), outage=True)
            flight.handle.set_exception(error)
            raise
        flight.handle.set_result(snapshot)
        if was_down and not self.hub.connected:
            self.hub.stream.nudge()
        if again and not self.closed:
            self._fly(flight.slot, time.monotonic())

    def _ask(self, flight: Flight) -> tuple[Snapshot, bool]:
        for _ in range(2):
            request = delivery_request(flight.slot.key, flight.etag, flight.min_revision)
            landing = self.engine.land(flight, self.transport.call(request, read_delivery), time.monotonic())
            if landing.snapshot is not None:
                return landing.snapshot, landing.again
        raise ProtocolError("the server says “not modified” about something it was not asked to compare")

    def render(self, prompt: str, body: Mapping[str, Any]) -> Answer:
        """Render on the server."""
        if self.closed:
            raise closed_error()
        return self.transport.call(render_request(prompt, body), read_delivery)
