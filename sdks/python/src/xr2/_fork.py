"""What survives ``os.fork()``.

The locks of everything that is shared between threads are taken around a fork, so that a child never inherits a
half-made change. The child then drops what belongs to the parent's threads and connections.

Whoever registers here must never hold its lock while it waits for another registered one.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Protocol


class Forked(Protocol):
    """Something with threads or connections of its own."""

    lock: Any

    def after_fork(self) -> None:
        """Begin anew in the child process. The lock is a fresh one by then."""


_known: weakref.WeakSet[Any] = weakref.WeakSet()
_fork_lock = threading.Lock()
_held: list[Any] = []


def survives_fork(thing: Forked) -> None:
    """Have ``thing`` prepared for forks as long as it lives."""
    with _fork_lock:
        _known.add(thing)


def _before() -> None:
    _fork_lock.acquire()
    _held.extend(_known)
    for thing in _held:
        thing.lock.acquire()


def _in_parent() -> None:
    while _held:
        _held.pop().lock.release()
    _fork_lock.release()


def _in_child() -> None:
    global _fork_lock
    _fork_lock = threading.Lock()
    things = list(_held)
    _held.clear()
    for thing in things:
        thing.lock = threading.RLock()
    for thing in things:
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
