"""One bundle and one stream: clients of a server that has them, over real sockets."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from fakeserver import KEY, FakeServer, Reply, Seen, failure, hang
from xr2 import AsyncXr2, AuthError, NotFound, Prompt, Xr2
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
    pages = [seen for seen in bundles.bundles_asked() if "if-none-match" not in seen.headers]
    assert len(pages) == 3, "three pages, once"
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
    assert len(bundles.bundles_asked()) == 1
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
    assert (len(bundles.bundles_asked()), len(bundles.streams_asked())) == (1, 1)


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


def test_versions_and_users_are_asked_for_and_kept_current(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    bundles.put("a", "two")
    client = shared()
    settled(client, eventually)
    assert client.get("a", version=1).text == "one"
    assert client.get("a", user_id="u1").text == "two"
    eventually(lambda: client.get("a", version=1).source == "stream")
    eventually(lambda: client.get("a", user_id="u1").source == "stream")
    assert bundles.streams_asked()[-1].query == {}, "the stream was widened"
    bundles.put("a", "three")
    eventually(lambda: client.get("a", user_id="u1").text == "three")
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
    assert len(bundles.bundles_asked()) == 1


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


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("put", "no json"), ("put", {"revision": 9}), ("put", {"revision": "x", "prompt": {}}),
        ("put", {"revision": 99, "prompt": {"id": "id-a", "slug": "a", "content": "x"}}),
        ("put", {"prompt": {"id": "id-a", "slug": "a", "content": "x", "label": "production"}}),
        ("delete", {"revision": 99}), ("delete", [1]), ("mark", {}), ("put", {"revision": 1, "prompt": {"id": "i", "slug": "s", "content": "old", "label": "production"}}),
        ("delete", {"revision": 0, "id": "id-a", "slug": "a", "label": "production"}), ("mark", {"revision": 0}),
    ],
)  # fmt: skip
def test_frames_that_make_no_sense_cost_a_bundle_and_nothing_else(
    bundles: FakeServer, shared: Make, eventually: Eventually, event: str, data: Any
) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.emit(event, data)
    eventually(lambda: len(bundles.streams_asked()) >= 2)
    assert "last-event-id" not in bundles.streams_asked()[1].headers
    eventually(lambda: len(bundles.bundles_asked()) >= 2)
    settled(client, eventually)
    assert client.get("a").text == "one"
    bundles.put("a", "two")
    eventually(with_text(client, "two"))


def test_frames_nobody_knows_are_passed_over(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.emit("news", "no json")
    bundles.emit("changed", {"slug": "a", "label": "production", "version": 1, "revision": bundles.revision})
    bundles.put("a", "two")
    eventually(with_text(client, "two"))
    assert (len(bundles.bundles_asked()), len(bundles.streams_asked())) == (1, 1)


def test_a_stream_that_never_sends_is_given_up_and_polled_around(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.hello = False
    bundles.put("a", "one")
    client = shared(read_timeout=0.2, connect_timeout=0.2)
    assert client.get("a").text == "one"
    eventually(lambda: table_of(client).loaded)
    bundles.put("a", "two")
    eventually(with_text(client, "two"))
    eventually(lambda: len(bundles.streams_asked()) >= 2)
    assert not client.connected
    bundles.hello = True
    eventually(lambda: client.connected)
    assert settled(client, eventually).text == "two"


def test_three_silent_heartbeats_end_a_stream(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.heartbeat_seconds = 0.05
    bundles.put("a", "one")
    client = shared()
    client.get("a")
    eventually(lambda: len(bundles.streams_asked()) >= 3)
    bundles.heartbeat_seconds = 15.0
    settled(client, eventually)


def test_heartbeats_keep_a_stream(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.heartbeat_seconds = 0.5
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    beats = 0

    def beat() -> bool:
        nonlocal beats
        bundles.heartbeat()
        beats += 1
        hub = client._core.hub
        return hub.hello_at is not None and hub.heard_at - hub.hello_at > 2.0

    eventually(beat)
    assert len(bundles.streams_asked()) == 1


def test_polling_where_streams_are_blocked_and_its_end(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.rules.append(no_stream)
    bundles.put("a", "one")
    client = shared(max_age=0.0)
    eventually(lambda: client.get("a").source == "api" and table_of(client).loaded)
    client.get("a")
    asked = len(bundles.bundles_asked())
    assert client.get("a").source == "api"
    assert bundles.bundles_asked()[-1].headers["if-none-match"] == f'"r{bundles.revision}-production"'
    assert len(bundles.bundles_asked()) > asked
    bundles.put("a", "two")
    assert client.get("a").text == "two"
    bundles.rules.clear()
    settled(client, eventually)
    asked = len(bundles.bundles_asked())
    assert client.get("a").source == "stream"
    assert len(bundles.bundles_asked()) == asked


def test_an_old_bundle_never_replaces_what_the_stream_brought(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    old = bundles._bundle(Seen("GET", "/api/v1/bundle", {"label": "production"}, {}, None))
    bundles.put("a", "two")
    eventually(with_text(client, "two"))
    bundles.rules.append(lambda seen: old if seen.path.endswith("/bundle") else no_stream(seen))
    bundles.drop_streams()
    eventually(lambda: not client.connected)
    table_of(client).confirmed_at = 0.0
    prompt = client.get("a")
    assert (prompt.text, prompt.source, prompt.stale) == ("two", "cache", True)
    assert bundles.bundles_asked()[-1].headers.get("if-none-match") is None


def test_frames_that_arrive_while_the_bundle_is_on_its_way(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    gate = threading.Event()
    held: list[Reply] = []

    def hold(seen: Seen) -> Reply | None:
        if not seen.path.endswith("/bundle") or held:
            return None
        held.append(bundles._bundle(seen))
        gate.wait(5)
        return held[0]

    bundles.rules.append(hold)
    bundles.emit("resync", {"revision": bundles.revision})
    eventually(lambda: held)
    bundles.put("a", "two")
    bundles.put("b", "new")
    eventually(lambda: "b" in table_of(client).entries)
    gate.set()
    settled(client, eventually)
    assert client.get("a").text == "two"
    assert client.get("b").text == "new"


def test_a_workspace_that_changes_between_two_pages(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    for index in range(5):
        bundles.put(f"p{index}", "one")
    bundles.page = 2
    changed: list[int] = []

    def change(seen: Seen) -> Reply | None:
        if seen.path.endswith("/bundle") and "cursor" in seen.query and not changed:
            changed.append(1)
            bundles.put("p0", "two", announce=False)
        return None

    bundles.rules.append(change)
    client = shared()
    settled(client, eventually, "p4")
    assert client.get("p0").text == "two"


@pytest.mark.parametrize("answer", [Reply(200, b"<html>", HTML), Reply(200, {"data": {"prompts": 7}}), Reply(0),
    Reply(200, {"data": {"revision": 1, "prompts": [{"slug": 7}]}}), failure(500, "INTERNAL", "told to"), Reply(404, b"", HTML)])  # fmt: skip
def test_broken_bundles_leave_prompt_by_prompt(
    bundles: FakeServer, shared: Make, eventually: Eventually, answer: Reply
) -> None:
    bundles.put("a", "one")
    bundles.rules.append(lambda seen: answer if seen.path.endswith("/bundle") else None)
    client = shared(retries=0)
    assert client.get("a").text == "one"
    eventually(lambda: bundles.bundles_asked())
    assert client.get("a").text == "one"
    bundles.rules.clear()
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


@pytest.mark.parametrize("status", [401, 403])
def test_a_revoked_key_is_an_error_at_once(
    bundles: FakeServer, shared: Make, eventually: Eventually, status: int
) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.rules.append(lambda seen: failure(status, "UNAUTHENTICATED", "revoked"))
    bundles.drop_streams()

    def refused() -> bool:
        try:
            client.get("a")
        except AuthError as error:
            return error.status == status
        return False

    eventually(refused)
    eventually(lambda: not table_of(client).loaded)
    for _ in range(3):
        with pytest.raises(AuthError):
            client.get("a")
    assert client.get("a", fallback="plan b").is_fallback
    bundles.rules.clear()
    eventually(lambda: client.get("a", fallback="").text == "one")


def test_a_proxys_403_on_the_stream_revokes_nothing(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.rules.append(no_stream)
    bundles.drop_streams()
    eventually(lambda: len(bundles.streams_asked()) >= 3)
    assert client.get("a").text == "one"
    assert table_of(client).loaded


def test_killed_and_started_again(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared(max_age=0.0)
    settled(client, eventually)
    bundles.stop()
    eventually(lambda: not client.connected)
    prompt = client.get("a")
    assert (prompt.text, prompt.source, prompt.stale) == ("one", "cache", True)
    fresh = FakeServer(bundles.port, bundles=True)
    try:
        fresh.prompts, fresh.revision, fresh.log = bundles.prompts, bundles.revision, bundles.log
        fresh.put("a", "two")
        eventually(with_text(client, "two"), within=10)
        settled(client, eventually)
    finally:
        client.close()
        fresh.stop()


def test_a_server_restored_from_a_backup(
    bundles: FakeServer, shared: Make, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xr2._table.OLDER_BUNDLES_REFUSED_FOR", 0.3)
    bundles.put("a", "one")
    before = dict(bundles.prompts)
    bundles.put("a", "two")
    client = shared()
    eventually(lambda: settled(client, eventually).text == "two")
    bundles.prompts, bundles.revision, bundles.log = before, 2, []
    bundles.drop_streams()
    eventually(with_text(client, "one"), within=10)
    settled(client, eventually)
    bundles.put("a", "two again")
    eventually(with_text(client, "two again"))


def test_a_hanging_server_costs_a_second_once(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.rules.append(no_stream)
    bundles.put("a", "one")
    client = shared(max_age=0.0)
    client.get("a")
    eventually(lambda: table_of(client).loaded)
    bundles.rules.insert(0, hang(bundles))
    assert client.get("a").stale
    with ThreadPoolExecutor(20) as pool:
        assert all(prompt.stale for prompt in pool.map(lambda _: client.get("a"), range(100)))


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
        eventually(lambda: client.get("p9").text == "29 9", within=20)
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


def test_a_last_event_id_lost_on_the_way_costs_a_bundle(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.resumes = False
    bundles.put("a", "two", announce=False)
    bundles.drop_streams()
    eventually(with_text(client, "two"))
    settled(client, eventually)


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
