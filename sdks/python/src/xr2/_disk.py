"""The snapshot on the disk, for starts while the server is away.

One line of JSON (format, length, HMAC), then the prompts as JSON. The HMAC is keyed with the API key, so that a file
which was cut, changed or written by another key counts as none. The file is private to its user and replaced in one
step; a reader sees the old one or the new one. Processes may share a file: each writes what it knows of its labels,
under a lock, and leaves the others' as they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ._filelock import locked
from ._table import Table, read_item

FORMAT = 1
LARGEST = 256 << 20
"""A larger file is none of ours."""
LONGEST_HEAD = 4096
YOUNG = 60.0
"""Seconds for which a higher revision of a label, another process's, is left in place. After that, a server that goes
on with lower ones was restored from a backup."""
log = logging.getLogger("xr2")


@dataclass(frozen=True)
class Shelf:
    """One label's prompts as they lie on the disk."""

    label: str
    revision: int
    etag: str | None
    items: list[dict[str, Any]]
    saved_at: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Holding:
    """What a process wants to be on the disk."""

    known: Sequence[Shelf]
    """What the server said in this run."""
    earlier: Sequence[Shelf] = ()
    """What the file held at the start; written where there is no good file any more."""
    gone: frozenset[str] = frozenset()
    """Labels of which nothing may be held."""


def shelf_of(table: Table) -> Shelf:
    """What a table holds, for the disk."""
    return Shelf(table.label, table.revision, table.if_none_match, [one.data for one in table.snapshots()])


def table_of(shelf: Shelf) -> Table:
    """What lay on the disk, for the memory."""
    table = Table(shelf.label)
    table.restore(shelf.revision, shelf.etag, shelf.items)
    return table


class Unusable(Exception):
    """There is a file, but it cannot be trusted."""


class Disk:
    """Reads and writes the file. Its faults are told once and never disturb the program."""

    def __init__(self, path: str, url: str, api_key: str) -> None:
        self._path = Path(path)
        self._secret = hashlib.sha256(f"xr2 snapshot\n{url}\n{api_key}".encode()).digest()
        self._told: set[str] = set()

    def load(self) -> list[Shelf]:
        """What an earlier run left, or nothing."""
        try:
            head, body = self._read()
            return _shelves(self._open(head, body))
        except FileNotFoundError:
            return []
        except (OSError, Unusable) as error:
            self._tell(f"the snapshot {self._path} is ignored: {error}")
            return []

    def save(self, holding: Holding) -> bool:
        """Bring the file up to date; False where that took no writing, or none was possible.

        Raises :class:`~xr2._filelock.Busy` where other processes do not let go of it.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._path.with_name(f".{self._path.name}.lock")):
                return self._update(holding)
        except OSError as error:
            self._tell(f"the snapshot {self._path} cannot be written: {error}")
            return False

    def _update(self, holding: Holding) -> bool:
        now = time.time()
        held = self._held()
        if held is None and not holding.known:
            return False
        merged = _merged(holding, holding.earlier if held is None else held, now)
        if held is not None and merged == {shelf.label: shelf for shelf in held}:
            return False
        shelves = list(merged.values())
        body = _body(shelves)
        revision = max((shelf.revision for shelf in shelves), default=0)
        head = {"xr2": "snapshot", "format": FORMAT, "length": len(body), "saved_at": round(now, 3),
                "revision": revision}  # fmt: skip
        self._replace(json.dumps({**head, "hmac": self._sign(head, body)}).encode() + b"\n" + body)
        return True

    def _held(self) -> list[Shelf] | None:
        """What the file holds now; none where there is no good one."""
        try:
            return _shelves(self._open(*self._read()))
        except (OSError, Unusable):
            return None

    def remove(self) -> None:
        """The key is no longer good for what the file holds."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            log.warning("xr2: %s", message)

    def _sign(self, head: dict[str, Any], body: bytes) -> str:
        signed = json.dumps([head[name] for name in ("format", "length", "saved_at", "revision")]).encode()
        return hmac.new(self._secret, signed + b"\n" + body, hashlib.sha256).hexdigest()

    def _read(self) -> tuple[bytes, bytes]:
        # Not blocking: what stands there might be a pipe. Links are not followed.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._path, flags), "rb") as file:
            told = os.fstat(file.fileno())
            if not stat.S_ISREG(told.st_mode):
                raise Unusable("it is no file")
            if told.st_size > LARGEST:
                raise Unusable("it is too large")
            return file.readline(LONGEST_HEAD), file.read(LARGEST)

    def _open(self, raw: bytes, body: bytes) -> Any:
        head = _parse(raw)
        if not isinstance(head, dict) or head.get("xr2") != "snapshot":
            raise Unusable("it is no snapshot")
        if head.get("format") != FORMAT:
            raise Unusable(f"its format is {head.get('format')!r}, not {FORMAT}")
        if head.get("length") != len(body):
            raise Unusable("it has been cut short, or something was added")
        told = head.get("hmac")
        if not {"saved_at", "revision"} <= head.keys() or not isinstance(told, str):
            raise Unusable("it is no snapshot")
        if not hmac.compare_digest(told.encode(), self._sign(head, body).encode()):
            raise Unusable("it was changed, or written with another key")
        return _parse(body)

    def _replace(self, content: bytes) -> None:
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self._path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _sync_folder(self._path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last; where folders cannot be synced, they need not be."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _merged(holding: Holding, base: Sequence[Shelf], now: float) -> dict[str, Shelf]:
    """The newest of every label."""
    merged = {shelf.label: shelf for shelf in base if shelf.label not in holding.gone}
    for shelf in holding.known:
        other = merged.get(shelf.label)
        # What is the same keeps the time at which it was first said.
        if other != shelf and not (other is not None and _stays(other, shelf, now)):
            merged[shelf.label] = replace(shelf, saved_at=round(now, 3))
    return merged


def _stays(other: Shelf, shelf: Shelf, now: float) -> bool:
    return other.revision > shelf.revision and abs(now - other.saved_at) < YOUNG


def _body(shelves: list[Shelf]) -> bytes:
    # Prompt by prompt, so that other threads get their turn in between.
    labels = []
    for shelf in shelves:
        items = ",".join(json.dumps(item) for item in shelf.items)
        about = json.dumps({"revision": shelf.revision, "etag": shelf.etag, "saved_at": shelf.saved_at})
        labels.append(f'{json.dumps(shelf.label)}:{about[:-1]},"prompts":[{items}]}}')
    return f'{{"labels":{{{",".join(labels)}}}}}'.encode()


def _shelves(parsed: Any) -> list[Shelf]:
    labels = parsed.get("labels") if isinstance(parsed, dict) else None
    if not isinstance(labels, dict):
        raise Unusable("it holds no labels")
    return [_shelf(label, told) for label, told in labels.items()]


def _shelf(label: str, told: Any) -> Shelf:
    if not isinstance(told, dict) or not isinstance(told.get("prompts"), list):
        raise Unusable("it holds no prompts")
    revision, etag, saved_at = told.get("revision"), told.get("etag"), told.get("saved_at")
    items = [item for value in told["prompts"] if (item := read_item(value)) is not None]
    if type(revision) is not int or not isinstance(etag, str | None) or len(items) < len(told["prompts"]):
        raise Unusable("it holds something that is no prompt")
    return Shelf(label, revision, etag, items, saved_at if isinstance(saved_at, float) else 0.0)


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Unusable("it is no JSON") from None
