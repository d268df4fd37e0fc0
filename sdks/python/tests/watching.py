"""What the tests of bundles look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeserver import FakeServer, Reply, Seen
from xr2 import Prompt, Xr2
from xr2._table import Table

Make = Callable[..., Xr2]
Eventually = Callable[..., Any]
HTML = {"Content-Type": "text/html"}


def no_stream(seen: Seen) -> Reply | None:
    return Reply(403, b"<html>blocked</html>", HTML) if seen.path.endswith("/stream") else None


def settled(client: Xr2, eventually: Eventually, slug: str = "a") -> Prompt:
    """Wait until the stream vouches for a prompt."""

    def look() -> Prompt | None:
        prompt = client.get(slug, fallback="")
        return prompt if prompt.source == "stream" else None

    found: Prompt = eventually(look)
    return found


def table_of(client: Xr2, label: str = "production") -> Table:
    return client._core.hub.tables[label]


def with_text(client: Xr2, text: str, slug: str = "a") -> Callable[[], Prompt | None]:
    def look() -> Prompt | None:
        prompt = client.get(slug)
        return prompt if prompt.content == text else None

    return look


def downloads(server: FakeServer) -> int:
    """How many bundles were asked for that might not just be confirmed, which on a slow machine happens any time."""
    return sum("if-none-match" not in seen.headers for seen in server.bundles_asked())
