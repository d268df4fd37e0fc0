"""The asyncio client over real sockets. What it shares with the blocking one is tested there in depth."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakeserver import KEY, FakeServer, Reply, Seen, failure, hang
from xr2 import AsyncPrompt, AsyncXr2, AuthError, ClientClosed, ConnectionFailed, NotFound, RequestTimeout


async def eventually(condition: Callable[[], Awaitable[Any]]) -> Any:
    ends_at = time.monotonic() + 60
    while not (found := await condition()):
        assert time.monotonic() < ends_at, "it never came true"
        await asyncio.sleep(0.002)
    return found


async def has(client: AsyncXr2, text: str) -> AsyncPrompt:
    async def look() -> AsyncPrompt | None:
        prompt = await client.get("a")
        return prompt if prompt.text == text else None

    found: AsyncPrompt = await eventually(look)
    return found


async def from_stream(client: AsyncXr2) -> None:
    async def look() -> bool:
        return (await client.get("a")).source == "stream"

    await eventually(look)


def test_get_publish_get(server: FakeServer) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, server.url) as client:
            first = await client.get("a")
            assert (first.text, first.source) == ("one", "api")
            await from_stream(client)
            asked = len(server.fetches())
            assert (await client.get("a")).source == "stream"
            assert len(server.fetches()) == asked
            server.put("a", "two")
            prompt = await has(client, "two")
            assert prompt.source == "stream"

    server.put("a", "one")
    asyncio.run(run())


@pytest.mark.parametrize("cut", [1, 5])
def test_events_cut_into_pieces(server: FakeServer, cut: int) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, server.url) as client:
            await client.get("a")
            await from_stream(client)
            server.put("a", "two")
            await has(client, "two")

    server.cut = cut
    server.put("a", "one")
    asyncio.run(run())


def test_single_flight_and_cancelled_callers(server: FakeServer) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, server.url, stream=False) as client:
            answer = threading.Event()
            server.rules.append(lambda seen: None if answer.wait(20) else failure(500, "INTERNAL", "nobody let go"))
            gets = [asyncio.create_task(client.get("a")) for _ in range(10)]

            async def asked() -> bool:
                return bool(server.fetches())

            await eventually(asked)
            gets[0].cancel()
            await asyncio.wait([gets[0]])
            assert not any(one.done() for one in gets[1:])
            answer.set()
            results = await asyncio.gather(*gets, return_exceptions=True)
            assert isinstance(results[0], asyncio.CancelledError)
            assert all(isinstance(one, AsyncPrompt) and one.text == "one" for one in results[1:])
            assert len(server.fetches()) == 1

    server.put("a", "one")
    asyncio.run(run())


def test_outage_then_back(server: FakeServer) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, server.url, stream=False, max_age=0.0) as client:
            await client.get("a")
            server.rules.append(lambda seen: failure(503, "UNAVAILABLE", "down"))
            prompt = await client.get("a")
            assert (prompt.source, prompt.stale) == ("cache", True)
            calls = len(server.seen)
            for _ in range(100):
                assert (await client.get("a")).stale
            assert len(server.seen) - calls <= 6, "in an outage nobody waits"
            with pytest.raises(Exception, match="down"):
                await client.get("unknown")
            assert (await client.get("unknown", fallback="x")).text == "x"
            server.rules.clear()
            server.put("a", "two")
            await has(client, "two")

    server.put("a", "one")
    asyncio.run(run())


def test_stream_comes_back_and_finds_what_was_missed(server: FakeServer) -> None:
    def no_stream(seen: Seen) -> Reply | None:
        return failure(503, "UNAVAILABLE", "down") if seen.path.endswith("/stream") else None

    async def run() -> None:
        async with AsyncXr2(KEY, server.url) as client:
            await client.get("a")
            await from_stream(client)
            server.rules.append(no_stream)
            server.drop_streams()

            async def lost() -> bool:
                return not client.connected

            await eventually(lost)
            server.put("a", "two", announce=False)
            server.rules.clear()
            await from_stream(client)
            await has(client, "two")

    server.put("a", "one")
    asyncio.run(run())


def test_revoked_and_missing(server: FakeServer) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, server.url, max_age=0.0, stream=False) as client:
            await client.get("a")
            with pytest.raises(NotFound):
                await client.get("b")
            server.valid_key = False
            with pytest.raises(AuthError):
                await client.get("a")
            with pytest.raises(NotFound, match="2 prompts") as caught:
                server.valid_key = True
                await client.get_many(["a", "b", "c"])
            assert caught.value.details == {"slugs": ["b", "c"]}
            assert set(await client.get_many(["a", "b"], fallbacks={"b": "B"})) == {"a", "b"}

    server.put("a", "one")
    asyncio.run(run())


def test_timeouts_and_nobody_there(server: FakeServer) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, server.url, stream=False) as client:
            server.rules.append(hang(server))
            with pytest.raises(RequestTimeout):
                await client.get("a", timeout=0.05)
        async with AsyncXr2(KEY, "http://127.0.0.1:9", stream=False, retries=0) as client:
            with pytest.raises(ConnectionFailed, match="could not be reached"):
                await client.get("a")
        with pytest.raises(ClientClosed):
            await client.get("a")

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_second_event_loop(server: FakeServer) -> None:
    client = AsyncXr2(KEY, server.url)

    async def once() -> str:
        return (await client.get("a")).text

    async def last() -> str:
        async with client:
            await client.get("a")
            return (await has(client, "two")).text

    server.put("a", "one")
    assert asyncio.run(once()) == "one"
    server.put("a", "two")
    assert asyncio.run(last()) == "two"
    # The first loop's connections could not be closed any more; their warnings belong here.
    gc.collect()


def test_fluent_and_jinja(server: FakeServer) -> None:
    async def run() -> None:
        async with AsyncXr2(KEY, server.url) as client:
            prompt = await client.get_prompt("a").with_variables({"name": "Ada"})
            assert prompt.text == "Hi Ada"
            other = await client.get_prompt("nope").fallback("a").with_variables(name="Bo").get()
            assert other.text == "Hi Bo"
            last = await client.get_prompt("nope").fallback("nix", text="bye {{ name }}").with_variables(name="Bo")
            assert (last.text, last.source) == ("bye Bo", "fallback")
            with pytest.raises(NotFound):
                await client.get_prompt("nope").fallback("nix")
            jinja = await client.get("j")
            server.put("j", "new", syntax="jinja", announce=False)
            assert (await jinja.render(x=1)).text == 'rendered v1 with {"x": 1}'

    server.put("a", "Hi {{ name }}")
    server.put("j", "{% if x %}{% endif %}", syntax="jinja")
    asyncio.run(run())


def test_watch(server: FakeServer) -> None:
    async def run() -> list[str]:
        seen: list[str] = []
        async with AsyncXr2(KEY, server.url) as client:
            async for prompt in client.watch("a"):
                seen.append(prompt.text)
                if prompt.text == "two":
                    return seen
                server.put("a", "two")
        return seen

    server.put("a", "one")
    assert asyncio.run(run()) == ["one", "two"]
