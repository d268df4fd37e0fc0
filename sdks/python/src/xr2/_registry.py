"""Which hub a client belongs to: one for each key and way of reaching the server in a process."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Hashable
from typing import Any

from ._bridge import Bridge
from ._fork import survives_fork
from ._http import MakeAsyncClient, MakeClient, Transport, Wire
from ._hub import Hub
from ._settings import Settings
from ._sink import Sink

CLOSE_PATIENCE = 1.0
"""Seconds that closing waits for what is under way."""


class Registry:
    """The hubs of this process. There is one: :data:`registry`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._hubs: dict[Hashable, Hub] = {}
        survives_fork(self)

    def after_fork(self) -> None:
        """The hubs see to themselves."""

    def join(
        self,
        settings: Settings,
        sink: Sink,
        make: MakeClient | None = None,
        make_async: MakeAsyncClient | None = None,
    ) -> Hub:
        """The hub for these settings, with one more client."""
        name = _name_of(settings, make, make_async)
        # Made outside of the lock: what survives forks takes the lock of forks, which comes before all others.
        # It costs nothing yet, and is dropped where there is one.
        fresh = Hub(settings, _wire(settings, make, make_async))
        with self.lock:
            hub = self._hubs.setdefault(name, fresh)
            hub.sinks = [*hub.sinks, sink]
        return hub

    def leave(self, hub: Hub, sink: Sink) -> None:
        """One client less; the last one ends the hub."""
        with self.lock:
            hub.sinks = [other for other in hub.sinks if other is not sink]
            if hub.sinks:
                return
            for name in [name for name, other in self._hubs.items() if other is hub]:
                del self._hubs[name]
        if not hub.closed:
            hub.close(CLOSE_PATIENCE)

    def close_all(self) -> None:
        """At the end of the program: last reports, disks, connections."""
        with self.lock:
            hubs = list(self._hubs.values())
            self._hubs.clear()
        for hub in hubs:
            with contextlib.suppress(Exception):
                hub.close(CLOSE_PATIENCE)


def in_background(work: Callable[[], Any]) -> None:
    """Do something that may take a second without making anybody wait: a garbage collector, an event loop."""
    thread = threading.Thread(target=work, name="xr2-close", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down
        work()


def _name_of(settings: Settings, make: MakeClient | None, make_async: MakeAsyncClient | None) -> Hashable:
    # Everything the hub goes by. The label is not among it: a hub holds a table for each.
    return (
        settings.url, settings.api_key, settings.connect_timeout, settings.read_timeout, settings.retries,
        settings.stream, settings.telemetry, settings.snapshot, settings.bundle_limit, make, make_async,
    )  # fmt: skip


def _wire(settings: Settings, make: MakeClient | None, make_async: MakeAsyncClient | None) -> Wire:
    if make is None and make_async is not None:
        return Bridge(settings, make_async)
    return Transport(settings, make)


registry = Registry()
atexit.register(registry.close_all)
