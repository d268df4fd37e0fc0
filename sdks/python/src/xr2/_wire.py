"""What goes over the wire, without the wire: requests to send, answers to read, when to try again.

The blocking and the asyncio client share all of it, so that they cannot drift apart.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from ._settings import API_PATH, Settings
from .errors import ApiError, ConnectionFailed, ProtocolError, RateLimited, ServerError, Xr2Error, error_class

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
LONGEST_RETRY_WAIT = 2.0
"""A server that asks for more patience than this gets no retry within the call: the caller is told."""


FALLBACK_HINT = "; pass fallback=… to survive this"


@dataclass(frozen=True)
class Key:
    """What a copy in memory stands for. A version is never served for a label, nor the reverse."""

    slug: str
    label: str | None = None
    version: int | None = None
    user_id: str | None = None
    optimized_for: str | None = None

    def __str__(self) -> str:
        return f"{self.slug}@{self.version if self.label is None else self.label}"


@dataclass(frozen=True)
class Request:
    """A request that may be sent more than once without harm."""

    method: str
    path: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None


@dataclass(frozen=True)
class Answer:
    """A delivery: the prompt's data (None when it has not changed) and what its headers say."""

    data: dict[str, Any] | None
    meta: dict[str, Any]
    etag: str | None
    revision: int | None
    storable: bool
    behind: bool
    """The node that answered says that it is cut off and may be out of date."""


def delivery_request(key: Key, etag: str | None, min_revision: int | None) -> Request:
    """Fetch one prompt; with an ETag, only if it has changed."""
    params: dict[str, str] = {}
    if key.version is not None:
        params["version"] = str(key.version)
    if key.label is not None:
        params["label"] = key.label
    if key.user_id is not None:
        params["user_id"] = key.user_id
    if key.optimized_for is not None:
        params["optimized_for"] = key.optimized_for
    headers: dict[str, str] = {}
    if etag is not None:
        headers["If-None-Match"] = etag
    if min_revision is not None:
        headers["X-XR2-Min-Revision"] = str(min_revision)
    return Request("GET", f"{API_PATH}/prompts/{quote(key.slug, safe='')}", params, headers)


def render_request(prompt: str, body: Mapping[str, Any]) -> Request:
    """Have the server render a prompt. It changes nothing, so it may be repeated."""
    return Request("POST", f"{API_PATH}/prompts/{quote(prompt, safe='')}/render", json=dict(body))


def says_behind(headers: Mapping[str, str]) -> bool:
    """Whether the node that answered says that it is cut off from its database: there may be later revisions."""
    return "x-xr2-stale" in headers


def read_delivery(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Read the answer to a delivery or a render, or raise what it says is wrong."""
    if status != 304 and not 200 <= status < 300:
        raise read_error(status, headers, body)
    data: dict[str, Any] | None = None
    meta: dict[str, Any] = {}
    if status != 304:
        envelope = json_object(status, headers, body)
        found = envelope.get("data")
        if not isinstance(found, dict) or not ("content" in found or "messages" in found):
            raise ProtocolError("the answer holds no prompt; is this address an xr2 server?", status=status)
        data = found
        meta = envelope["meta"] if isinstance(envelope.get("meta"), dict) else {}
    return Answer(
        data=data,
        meta=meta,
        etag=headers.get("etag"),
        revision=whole_number(headers.get("x-xr2-revision")),
        storable="no-store" not in headers.get("cache-control", ""),
        behind=says_behind(headers),
    )


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> Xr2Error:
    """The exception for an answer that is not a success."""
    request_id = headers.get("x-request-id")
    retry_after = _retry_after(headers.get("retry-after"))
    if 300 <= status < 400:
        where = headers.get("location", "somewhere else")
        return ProtocolError(f"the server redirects to {where}; set url to the address it really has", status=status)
    told: dict[str, Any] = {}
    try:
        parsed = json.loads(body)
        if isinstance(parsed, dict) and isinstance(parsed.get("error"), dict):
            told = parsed["error"]
    except (ValueError, RecursionError):
        pass
    code = told.get("code") if isinstance(told.get("code"), str) else None
    # A proxy's own 404 or 403 says nothing about the prompt or the key: it must evict nothing.
    foreign = code is None and status < 500 and status != 429
    kind = ProtocolError if foreign else error_class(status, code)
    message = told.get("message") if isinstance(told.get("message"), str) else None
    return kind(
        message or f"the server answered with status {status} and no explanation",
        code=code,
        status=status,
        request_id=told.get("request_id") or request_id,
        details=told.get("details") if isinstance(told.get("details"), dict) else None,
        retry_after=retry_after,
    )


def retry_delay(error: Xr2Error, attempt: int, retries: int) -> float | None:
    """Seconds to wait before attempt number ``attempt + 1``, or None to give up."""
    if attempt >= retries:
        return None
    if isinstance(error, ConnectionFailed):
        return _jitter(0.1 * 2**attempt)
    if error.status not in RETRY_STATUSES:
        return None
    if error.retry_after is None:
        return _jitter(0.1 * 2**attempt)
    if error.retry_after > LONGEST_RETRY_WAIT:
        return None
    return error.retry_after + _jitter(0.05)


def retry_wait(error: BaseException, most: float = 60.0) -> float:
    """How long the server asks not to be bothered, within reason."""
    told = getattr(error, "retry_after", None)
    return min(most, float(told)) if told else 0.0


def is_outage(error: BaseException) -> bool:
    """Whether the error says nothing about the prompt, so that a copy in memory may stand in."""
    return isinstance(error, ConnectionFailed | ServerError | RateLimited | ProtocolError)


def unreachable(settings: Settings, error: Exception, *, slow: bool) -> tuple[str, str]:
    """Code and kind message for a connection that did not come about, or a server that stayed silent."""
    reason = str(error) or type(error).__name__
    if slow:
        return "TIMEOUT", f"the server at {settings.url} did not answer in time ({reason}){FALLBACK_HINT}"
    return "CONNECTION_FAILED", f"the server at {settings.url} could not be reached: {reason}{FALLBACK_HINT}"


def helpful(error: Xr2Error, key: Key) -> Xr2Error:
    """The same error, naming the prompt that was asked for."""
    if isinstance(error, ApiError) and str(key.slug) not in error.message:
        error.message = f"{key}: {error.message}"
        error.args = (error.message,)
    return error


def _jitter(most: float) -> float:
    return most * (0.5 + random.random() / 2)


def json_object(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        kind = headers.get("content-type", "nothing it names")
        raise ProtocolError(f"expected JSON, got {kind}; is this address an xr2 server?", status=status)
    return parsed


def whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _retry_after(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
