"""The snapshot on the disk, for starts while the server is away.

One line of JSON (format, length, HMAC), then the prompts as JSON. The HMAC is keyed with the API key, so that a file
which was cut, changed or written by another key counts as none. The file is private to its user and replaced in one
step; a reader sees the old one or the new one.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._table import read_item

FORMAT = 1
LARGEST = 256 << 20
"""A larger file is none of ours."""
LONGEST_HEAD = 4096
YOUNG = 60.0
"""Seconds for which a file with a higher revision, another process's, is left in place."""
log = logging.getLogger("xr2")


@dataclass(frozen=True)
class Shelf:
    """One label's prompts as they lie on the disk."""

    label: str
    revision: int
    etag: str | None
    items: list[dict[str, Any]]


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

    def save(self, shelves: list[Shelf]) -> bool:
        """Replace the file."""
        body = _body(shelves)
        revision = max((shelf.revision for shelf in shelves), default=0)
        head = {"xr2": "snapshot", "format": FORMAT, "length": len(body), "saved_at": round(time.time(), 3),
                "revision": revision}  # fmt: skip
        try:
            if self._is_newer(revision):
                return False
            self._replace(json.dumps({**head, "hmac": self._sign(head, body)}).encode() + b"\n" + body)
        except OSError as error:
            self._tell(f"the snapshot {self._path} cannot be written: {error}")
            return False
        return True

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

    def _is_newer(self, revision: int) -> bool:
        """Whether another process has just saved more than we know."""
        try:
            head, body = self._read()
            self._open(head, body)
            told = json.loads(head)
            return bool(told["revision"] > revision and abs(time.time() - told["saved_at"]) < YOUNG)
        except (OSError, Unusable, ValueError, TypeError):
            return False

    def _replace(self, content: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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


def _body(shelves: list[Shelf]) -> bytes:
    # Prompt by prompt, so that other threads get their turn in between.
    labels = []
    for shelf in shelves:
        items = ",".join(json.dumps(item) for item in shelf.items)
        about = json.dumps({"revision": shelf.revision, "etag": shelf.etag})
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
    revision, etag = told.get("revision"), told.get("etag")
    items = [item for value in told["prompts"] if (item := read_item(value)) is not None]
    if type(revision) is not int or not isinstance(etag, str | None) or len(items) < len(told["prompts"]):
        raise Unusable("it holds something that is no prompt")
    return Shelf(label, revision, etag, items)


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Unusable("it is no JSON") from None
