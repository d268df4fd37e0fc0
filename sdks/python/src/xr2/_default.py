"""The name ``xr2`` that one imports: calling it makes a client, and it is a client itself.

``xr2(api_key="…")`` makes a client of its own. ``xr2.get("welcome")`` uses the default client, which is made at
the first use from ``XR2_API_KEY`` and ``XR2_URL``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .client import Xr2
from .fluent import PromptRequest
from .prompt import Fallback, Prompt


class DefaultClient:
    """See the module's text. There is one: :data:`xr2.xr2`."""

    def __init__(self) -> None:
        self._client: Xr2 | None = None
        self._renew_lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        """A lock that a thread of the parent process held would never be released in a child."""
        self._lock = threading.Lock()

    def __call__(self, api_key: str | None = None, url: str | None = None, **options: Any) -> Xr2:
        """A client of its own; takes what :class:`Xr2` takes."""
        return Xr2(api_key, url, **options)

    @property
    def client(self) -> Xr2:
        """The default client."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = Xr2()
        return self._client

    def configure(self, api_key: str | None = None, url: str | None = None, **options: Any) -> Xr2:
        """Make the default client from these settings instead of the environment's; the former one is closed."""
        fresh = Xr2(api_key, url, **options)
        with self._lock:
            former, self._client = self._client, fresh
        if former is not None:
            former.close()
        return fresh

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
        """:meth:`Xr2.get` on the default client."""
        return self.client.get(
            slug, label=label, version=version, user_id=user_id, optimized_for=optimized_for,
            fallback=fallback, timeout=timeout,
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
        """:meth:`Xr2.get_many` on the default client."""
        return self.client.get_many(slugs, label=label, user_id=user_id, fallbacks=fallbacks, timeout=timeout)

    def get_prompt(self, slug: str) -> PromptRequest:
        """:meth:`Xr2.get_prompt` on the default client."""
        return self.client.get_prompt(slug)

    def watch(
        self,
        slug: str,
        *,
        label: str | None = None,
        user_id: str | None = None,
        fallback: Fallback | None = None,
    ) -> Iterator[Prompt]:
        """:meth:`Xr2.watch` on the default client."""
        return self.client.watch(slug, label=label, user_id=user_id, fallback=fallback)

    def close(self) -> None:
        """Close the default client; the next use makes a new one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def __repr__(self) -> str:
        return f"<xr2: default client {self._client!r}>" if self._client else "<xr2: default client not made yet>"


xr2 = DefaultClient()
