"""A lock between processes, held on a file that is made for it and stays.

It is let go of by name and not only by closing the file: a child that was forked meanwhile has the file open, too.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 2.0
"""Seconds to wait for others, who hold it for milliseconds unless they were stopped."""


class Busy(Exception):
    """Another process holds the lock."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock; raises :class:`Busy` where others do not let go of it. Links are not followed."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags, 0o600)
    try:
        ends_at = time.monotonic() + PATIENCE
        while not _acquire(handle):
            if time.monotonic() > ends_at:
                raise Busy(f"{path} is held by another process")
            time.sleep(random.uniform(0.002, 0.02))
        try:
            yield
        finally:
            _release(handle)
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _acquire(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _release(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _acquire(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A file system without locks: the file is replaced in one step all the same.
            return True
        return True

    def _release(handle: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
