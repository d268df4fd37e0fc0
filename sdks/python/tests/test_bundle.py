"""One bundle and one stream: clients of a server that has them, over real sockets."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from fakeserver import KEY, FakeServer
from watching import Eventually, Make, downloads, no_stream, settled, table_of, with_text
from xr2 import AsyncXr2, NotFound


async def from_stream(client: AsyncXr2) -> None:
    ends_at = time.monotonic() + 5
    while (await client.get("a")).source != "stream":
        assert time.monotonic() < ends_at, "it never came true"
        await asyncio.sleep(0.002)


def test_a_bundle_then_memory_only(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    for index in range(25):
        bundles.put(f"p{index}", f"text {index}")
    bundles.put("a", "one")
    bundles.page = 10
    client = shared()
    first = client.get("a")
    assert (first.text, first.source) == ("one", "api")
    settled(client, eventually)
    asked = len(bundles.seen)
    for index in range(25):
        prompt = client.get(f"p{index}")
        assert (prompt.text, prompt.source, prompt.label) == (f"text {index}", "stream", "production")
    assert client.get("id-p3").text == "text 3"
    assert [seen.path for seen in bundles.seen[asked:] if "/prompts/" in seen.path] == []
    assert downloads(bundles) == 3, "three pages, once"
    assert [seen.query for seen in bundles.streams_asked()] == [{"label": "production"}]
    assert bundles.streams_asked()[0].headers["last-event-id"] == str(table_of(client).revision)


@pytest.mark.parametrize("cut", [0, 1, 7])
def test_puts_and_deletes_arrive_by_themselves(
    bundles: FakeServer, shared: Make, eventually: Eventually, cut: int
) -> None:
    bundles.cut = cut
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    asked = len(bundles.fetches())
    bundles.put("a", "two")
    prompt = eventually(with_text(client, "two"))
    assert (prompt.source, prompt.version) == ("stream", 2)
    bundles.put("new", "brand new")
    eventually(lambda: "new" in table_of(client).entries)
    assert client.get("new").source == "stream"
    assert len(bundles.fetches()) == asked
    assert downloads(bundles) == 1
    bundles.remove("a")
    eventually(lambda: "a" not in table_of(client).entries)
    with pytest.raises(NotFound):
        client.get("a")
    assert client.get("a", fallback="plan b").text == "plan b"


def test_a_former_slug_goes_on_delivering(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("old", "one")
    client = shared()
    settled(client, eventually, "old")
    bundles.rename("old", "new")
    eventually(lambda: "new" in table_of(client).entries)
    for name in ("new", "id-old", "old"):
        prompt = eventually(lambda name=name: (p := client.get(name)).slug == "new" and p)
        assert prompt.source == "stream"


def test_all_clients_of_a_key_share_one_bundle_and_one_stream(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    first, second = shared(), shared()
    settled(first, eventually)
    assert settled(second, eventually).text == "one"

    async def run() -> None:
        async with AsyncXr2(KEY, bundles.url) as client:
            prompt = await client.get("a")
            assert (prompt.text, prompt.source) == ("one", "stream")
            assert (await prompt.render(x=1)).text == "one"

    asyncio.run(run())
    first.close()
    assert settled(second, eventually).text == "one"
    assert second.connected
    assert (downloads(bundles), len(bundles.streams_asked())) == (1, 1)


def test_labels_have_tables_of_their_own_and_share_the_stream(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    bundles.put("a", "two")
    bundles.label("a", "staging", 1)
    client, staging = shared(), shared(label="staging")
    settled(client, eventually)
    settled(staging, eventually)
    assert (client.get("a").text, staging.get("a").text) == ("two", "one")
    assert client.get("a", label="staging").source == "stream"
    assert [seen.query for seen in bundles.streams_asked()] == [{"label": "production"}, {}]
    bundles.label("a", "staging", 2)
    eventually(with_text(staging, "two"))
    bundles.put("a", "three")
    eventually(with_text(client, "three"))
    assert staging.get("a").text == "two"


def test_versions_and_models_are_asked_for_and_kept_current(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    bundles.put("a", "two")
    client = shared()
    settled(client, eventually)
    assert client.get("a", version=1).text == "one"
    assert client.get("a", optimized_for="m1").text == "two"
    eventually(lambda: client.get("a", version=1).source == "stream")
    eventually(lambda: client.get("a", optimized_for="m1").source == "stream")
    assert bundles.streams_asked()[-1].query == {}, "the stream was widened"
    bundles.put("a", "three")
    eventually(lambda: client.get("a", optimized_for="m1").text == "three")
    assert client.get("a", version=1).text == "one"
    assert client.get("a").text == "three"


def test_a_dropped_stream_is_resumed_without_a_bundle(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.rules.append(no_stream)
    bundles.drop_streams()
    eventually(lambda: not client.connected)
    table_of(client).confirmed_at = float("inf")  # what is held counts as fresh: only the stream may bring news
    bundles.put("a", "two")
    bundles.put("b", "new")
    bundles.rules.clear()
    eventually(lambda: client.connected)
    settled(client, eventually)
    eventually(with_text(client, "two"))
    assert client.get("b").source == "stream"
    assert downloads(bundles) == 1


def test_behind_the_window_a_resync_brings_a_bundle(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.window = 0
    bundles.rules.append(no_stream)
    bundles.drop_streams()
    eventually(lambda: not client.connected)
    bundles.put("a", "two")
    bundles.remove("a")
    bundles.put("b", "other")
    bundles.rules.clear()
    settled(client, eventually, "b")
    assert "a" not in table_of(client).entries
    assert int(bundles.bundles_asked()[-1].headers["x-xr2-min-revision"]) == bundles.revision


def test_resync_in_the_middle(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.put("a", "two", announce=False)
    bundles.emit("resync", {"revision": bundles.revision})
    bundles.put("b", "later")
    eventually(with_text(client, "two"))
    eventually(with_text(client, "later", "b"))
    settled(client, eventually)


def test_more_prompts_than_are_to_be_held(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    for index in range(5):
        bundles.put(f"p{index}", "one")
    client = shared(bundle_limit=3)
    assert client.get("p0").text == "one"
    eventually(lambda: client.get("p0").source == "stream")
    assert not table_of(client).loaded
    bundles.put("p0", "two")
    eventually(with_text(client, "two", "p0"))


def test_fifty_threads(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    for index in range(20):
        bundles.put(f"p{index}", f"0 {index}")
    client = shared()
    start = threading.Barrier(51)
    done = threading.Event()
    wrong: list[str] = []

    def read(which: int) -> int:
        start.wait()
        last, reads = -1, 0
        while not done.is_set():
            slug = f"p{which % 20}"
            number, _, index = client.get(slug).render().text.partition(" ")
            if int(index) != which % 20 or int(number) < last:
                wrong.append(f"{slug}: {number} after {last}")
            last, reads = int(number), reads + 1
        return reads

    with ThreadPoolExecutor(50) as pool:
        readers = [pool.submit(read, which) for which in range(50)]
        start.wait()
        for step in range(1, 30):
            bundles.put(f"p{step % 20}", f"{step} {step % 20}")
            if step % 10 == 0:
                bundles.drop_streams()
        eventually(lambda: client.get("p9").text == "29 9")
        done.set()
        assert all(reader.result() > 0 for reader in readers)
    assert wrong == []


def test_closing_ends_everything(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    client.close()
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("xr2-")])


def test_an_asyncio_client_let_go_of_ends_the_threads(bundles: FakeServer, eventually: Eventually) -> None:
    async def run() -> None:
        client = AsyncXr2(KEY, bundles.url)
        await from_stream(client)
        await client._core.transport.close()

    bundles.put("a", "one")
    asyncio.run(run())
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("xr2-")])


def test_the_stream_goes_through_the_factory_of_an_asyncio_client(bundles: FakeServer, eventually: Eventually) -> None:
    agents = {"User-Agent": "through-the-factory"}

    class Marked(httpx.AsyncClient):
        def build_request(self, *args: Any, **more: Any) -> httpx.Request:
            request = super().build_request(*args, **more)
            request.headers.update(agents)
            return request

    async def run() -> None:
        async with AsyncXr2(KEY, bundles.url, client_factory=Marked) as client:
            await from_stream(client)
            await asyncio.to_thread(bundles.put, "a", "two")
            async for prompt in client.watch("a"):
                if prompt.text == "two":
                    break
            bundles.drop_streams()
            await asyncio.to_thread(eventually, lambda: len(bundles.streams_asked()) == 2 and client.connected)

    bundles.put("a", "one")
    asyncio.run(run())
    assert {seen.headers["user-agent"] for seen in bundles.seen} == {"through-the-factory"}
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("xr2-")])


def test_what_is_not_there_is_asked_for_once(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    for _ in range(50):
        assert client.get("b", fallback="plan b").is_fallback
    with pytest.raises(NotFound):
        client.get("b")
    with pytest.raises(NotFound):
        client.get_many(["a", "b"])
    assert len(bundles.fetches("b")) == 1
    bundles.put("b", "here")
    eventually(lambda: client.get("b", fallback="plan b").text == "here")
    bundles.remove("b")
    eventually(lambda: client.get("b", fallback="plan b").is_fallback)
    bundles.drop_streams()
    eventually(lambda: len(bundles.streams_asked()) >= 2 and client.connected)
    settled(client, eventually)
    asked = len(bundles.fetches("b"))
    assert client.get("b", fallback="plan b").is_fallback
    assert len(bundles.fetches("b")) == asked + 1, "what was known before the stream was lost must be asked again"


def test_prompts_without_variables_are_rendered(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    jinja: dict[str, Any] = {"syntax": "jinja", "variables": []}
    bundles.put("plain", "just text")
    bundles.put("chat", None, type="chat", messages=[{"role": "user", "content": "Hi"}])
    bundles.put("included", "be kind and brief", **jinja)
    bundles.put("server", "{% if true %}x{% endif %}", **jinja)
    bundles.put("open", "Hello {{ name }}")
    client = shared()
    settled(client, eventually, "plain")
    assert client.get("plain").to_openai()["messages"][0]["content"] == "just text"
    assert client.get("chat").to_openai()["messages"] == [{"role": "user", "content": "Hi"}]
    assert client.get("included").render(x=1).text == "be kind and brief"
    assert [client.get(slug).rendered for slug in ("plain", "chat", "included", "open")] == [True, True, True, False]
    client.get("server")
    assert len(bundles.fetches("server")) == 1, "only the server can render it"
    eventually(lambda: client.get("server").source == "stream")
    bundles.put("server", "now text", **jinja)
    eventually(with_text(client, "now text", "server"))


def test_many_at_once_wait_for_the_bundle(bundles: FakeServer, shared: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xr2.client.STALE_WAIT", 30.0)
    monkeypatch.setattr("xr2.aio.STALE_WAIT", 30.0)
    for index in range(30):
        bundles.put(f"p{index}", str(index))
    slugs = [f"p{index}" for index in range(30)]

    async def run() -> list[str]:
        async with AsyncXr2(KEY, bundles.url) as client:
            return [prompt.text for prompt in (await client.get_many(slugs)).values()]

    assert asyncio.run(run()) == [str(index) for index in range(30)]
    assert [prompt.text for prompt in shared().get_many(slugs).values()] == [str(index) for index in range(30)]
    assert bundles.fetches() == []


def test_a_client_that_comes_later_relies_on_the_stream_that_is_open(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    first = shared()
    first.get("a", version=1)
    eventually(lambda: first.get("a", version=1).source == "stream")
    second = shared(max_age=0.0)
    second.get("a", optimized_for="m")
    eventually(lambda: second.get("a", optimized_for="m").source == "stream")
    assert bundles.stream_count() == 1
    bundles.put("a", "two")
    eventually(lambda: second.get("a", optimized_for="m").text == "two")
    assert second.get("a", optimized_for="m").source in ("stream", "api")
