from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fakeserver import KEY, FakeServer
from xr2 import Xr2


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()


@pytest.fixture
def bundles() -> Iterator[FakeServer]:
    """A server with bundles, frames and telemetry; `server` is one from before there were any."""
    fake = FakeServer(bundles=True)
    yield fake
    fake.stop()


@pytest.fixture
def shared(bundles: FakeServer) -> Iterator[Callable[..., Xr2]]:
    """Makes clients of the server with bundles and closes them."""
    clients: list[Xr2] = []

    def build(**options: Any) -> Xr2:
        client = Xr2(KEY, bundles.url, **options)
        clients.append(client)
        return client

    yield build
    for client in clients:
        client.close()


@pytest.fixture
def make(server: FakeServer) -> Iterator[Callable[..., Xr2]]:
    """Makes clients of the fake server and closes them."""
    clients: list[Xr2] = []

    def build(**options: Any) -> Xr2:
        client = Xr2(KEY, server.url, **options)
        clients.append(client)
        return client

    yield build
    for client in clients:
        client.close()


@pytest.fixture
def client(make: Callable[..., Xr2]) -> Xr2:
    return make()


def eventually(condition: Callable[[], Any]) -> Any:
    """The condition's value, as soon as it holds."""
    ends_at = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < ends_at, "it never came true"
        time.sleep(0.002)
    return found


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Any]:
    return eventually
