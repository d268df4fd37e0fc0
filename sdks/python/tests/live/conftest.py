"""A real server to test against: its address and keys come from the environment.

The project's test command boots one and sets ``XR2_TEST_URL``, ``XR2_TEST_API_KEY`` (a delivery key) and
``XR2_TEST_ADMIN_KEY``. Without them these tests fail, so that nobody takes silence for success;
``XR2_TEST_OFFLINE=1`` leaves them out on purpose.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from xr2 import Xr2

NAMES = ("XR2_TEST_URL", "XR2_TEST_API_KEY", "XR2_TEST_ADMIN_KEY")
HERE = Path(__file__).parent
T = TypeVar("T")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("XR2_TEST_OFFLINE") != "1":
        return
    live = [item for item in items if HERE in item.path.parents]
    config.hook.pytest_deselected(items=live)
    items[:] = [item for item in items if HERE not in item.path.parents]


class Live:
    """What the tests do to the server, by plain HTTP, as its owner."""

    def __init__(self, url: str, api_key: str, admin_key: str) -> None:
        self.url = url
        self.api_key = api_key
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {admin_key}"}, timeout=20)

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The data of an answer that must be a success."""
        response = self.http.request(method, path, json=body, params=params)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()["data"]

    def create(self, content: Any, **more: Any) -> str:
        """A new published prompt; returns its slug."""
        slug = f"py-{uuid.uuid4().hex[:12]}"
        field = "content" if isinstance(content, str) else "messages"
        kind = "text" if isinstance(content, str) else "chat"
        self.call("POST", "/prompts", {"title": slug, "slug": slug, "type": kind, field: content, **more})
        return slug

    def publish(self, slug: str, content: str) -> None:
        """A new version, live at once."""
        self.call("PUT", f"/prompts/{slug}", {"content": content})

    def point(self, slug: str, version: int, label: str = "production") -> None:
        """Move a label."""
        self.call("PUT", f"/prompts/{slug}/labels/{label}", {"version": version})

    def delete(self, slug: str) -> None:
        """Into the bin."""
        self.call("DELETE", f"/prompts/{slug}", force="true")

    def make_key(self, **options: Any) -> tuple[str, str]:
        """A new delivery key: its id and the key itself."""
        made = self.call("POST", "/api-keys", {"name": f"py-{uuid.uuid4().hex[:8]}", **options})
        return made["id"], made["key"]


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    missing = [name for name in NAMES if not os.environ.get(name)]
    if missing:
        pytest.fail(
            f"{', '.join(missing)} not set: these tests need a running xr2 server. The project's test command "
            "boots one; XR2_TEST_OFFLINE=1 leaves them out.",
            pytrace=False,
        )
    url, api_key, admin_key = (os.environ[name] for name in NAMES)
    server = Live(url.rstrip("/"), api_key, admin_key)
    yield server
    server.http.close()


@pytest.fixture
def make(live: Live) -> Iterator[Callable[..., Xr2]]:
    """Makes clients and closes them."""
    clients: list[Xr2] = []

    def build(api_key: str | None = None, **options: Any) -> Xr2:
        client = Xr2(api_key or live.api_key, live.url, **options)
        clients.append(client)
        return client

    yield build
    for client in clients:
        client.close()


@pytest.fixture
def client(make: Callable[..., Xr2]) -> Xr2:
    return make()


#: How long is waited for what must happen, on a machine that may have much else to do.
PATIENCE = 60.0


def within(condition: Callable[[], T | None]) -> T:
    """The condition's value as soon as it holds."""
    ends_at = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < ends_at, f"not within {PATIENCE} s"
        time.sleep(0.002)
    return found
