"""Fetching every prompt of a label at once: pages that belong together, or none of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ._settings import API_PATH
from ._table import read_item
from ._wire import Request, json_object, read_error, says_behind, whole_number
from .errors import Conflict, ProtocolError

BUNDLE_PATH = f"{API_PATH}/bundle"
MOST_BYTES = 128 << 20
"""More JSON than this is never held; such workspaces are fetched prompt by prompt."""
ATTEMPTS = 4


@dataclass(frozen=True)
class Page:
    """One answer. ``unchanged`` is what a 304 says."""

    unchanged: bool
    revision: int | None
    etag: str | None
    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int
    size: int
    behind: bool
    """The node that answered says that it is cut off and may be out of date."""


@dataclass(frozen=True)
class Bundle:
    """All pages of one revision; without ``items`` where nothing has changed."""

    revision: int | None
    etag: str | None
    items: list[dict[str, Any]] | None
    behind: bool


class TooLarge(Exception):
    """More prompts than this client is meant to hold."""


class Loading:
    """A bundle on its way."""

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at
        self.done: Future[None] = Future()


Ask = Callable[[Request], Page]


def fetch_bundle(ask: Ask, label: str, *, etag: str | None, min_revision: int, most: int) -> Bundle:
    """All of a label's prompts. If the workspace changes while pages are fetched, it begins again."""
    for attempt in range(ATTEMPTS):
        try:
            bundle = _attempt(ask, label, etag=etag, min_revision=min_revision, most=most)
        except Conflict:
            bundle = None
        if bundle is not None:
            return bundle
        time.sleep(random.uniform(0, 0.2 * 2**attempt))
    raise ProtocolError("the bundle's pages do not fit together: the workspace changes faster than they arrive")


def _attempt(ask: Ask, label: str, *, etag: str | None, min_revision: int, most: int) -> Bundle | None:
    first = ask(_request(label, None, etag, min_revision))
    if first.unchanged:
        return Bundle(first.revision, etag, None, first.behind)
    items, size, page = list(first.items), first.size, first
    _check_size(max(first.total, len(items)), size, most)
    while page.next_cursor is not None:
        page = ask(_request(label, page.next_cursor, None, min_revision))
        if page.unchanged or page.revision != first.revision or not page.items:
            return None
        items += page.items
        size += page.size
        _check_size(len(items), size, most)
    return Bundle(first.revision, first.etag, items, first.behind)


def _check_size(count: int, size: int, most: int) -> None:
    if count > most or size > MOST_BYTES:
        raise TooLarge(f"{count} prompts")


def _request(label: str, cursor: str | None, etag: str | None, min_revision: int) -> Request:
    params = {"label": label}
    if cursor is not None:
        params["cursor"] = cursor
    headers: dict[str, str] = {}
    if etag is not None:
        headers["If-None-Match"] = etag
    if min_revision > 0:
        headers["X-XR2-Min-Revision"] = str(min_revision)
    return Request("GET", BUNDLE_PATH, params, headers)


def read_page(status: int, headers: Mapping[str, str], body: bytes) -> Page:
    """Read one answer, or raise what it says is wrong."""
    told = whole_number(headers.get("x-xr2-revision"))
    etag, behind = headers.get("etag"), says_behind(headers)
    if status == 304:
        return Page(True, told, etag, [], None, 0, 0, behind)
    if status != 200:
        raise read_error(status, headers, body)
    envelope = json_object(status, headers, body)
    data, meta = envelope.get("data"), envelope.get("meta")
    if not isinstance(data, dict) or not isinstance(data.get("prompts"), list):
        raise ProtocolError("the answer holds no bundle; is this address an xr2 server?", status=status)
    revision = data.get("revision")
    if type(revision) is not int:
        raise ProtocolError("the bundle tells no revision", status=status)
    items = [item for value in data["prompts"] if (item := read_item(value)) is not None]
    if len(items) < len(data["prompts"]):
        raise ProtocolError("the bundle holds something that is no prompt", status=status)
    meta = meta if isinstance(meta, dict) else {}
    cursor, total = meta.get("next_cursor"), meta.get("total")
    return Page(
        False, revision, etag, items, cursor if isinstance(cursor, str) and cursor else None,
        total if type(total) is int else 0, len(body), behind,
    )  # fmt: skip
