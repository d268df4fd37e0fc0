"""The blocking client over real sockets: memory and stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fakeserver import FakeServer, Reply, Seen
from xr2 import ClientClosed, NotFound, Xr2
from xr2._wire import Key

Make = Callable[..., Xr2]
Eventually = Callable[..., Any]


def no_stream(seen: Seen) -> Reply | None:
    return (
        Reply(404, b"<html>no such page</html>", {"Content-Type": "text/html"})
        if seen.path.endswith("/stream")
        else None
    )


def connected(client: Xr2, eventually: Eventually, slug: str = "a") -> None:
    """Bring a copy into memory and wait until the stream vouches for it."""
    client.get(slug)
    eventually(lambda: client.get(slug).source == "stream")


def test_first_from_the_server_then_from_memory(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    first = client.get("a")
    assert (first.text, first.source, first.version, first.label) == ("one", "api", 1, "production")
    eventually(lambda: client.connected)
    before = len(server.fetches())
    for _ in range(100):
        assert client.get("a").text == "one"
    assert client.get("a").source == "stream"
    assert len(server.fetches()) <= before + 1


def test_a_publish_arrives_without_a_call_that_waits(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    connected(client, eventually)
    server.put("a", "two")
    prompt = eventually(lambda: (p := client.get("a")).text == "two" and p)
    assert prompt.source == "stream"
    assert prompt.version == 2


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64])
def test_events_cut_into_pieces(server: FakeServer, client: Xr2, eventually: Eventually, cut: int) -> None:
    server.cut = cut
    server.put("a", "one")
    connected(client, eventually)
    for text in ("two", "drei", "quatre"):
        server.put("a", text)
        eventually(lambda text=text: client.get("a").text == text)


def test_without_a_stream_memory_is_trusted_for_max_age_only(server: FakeServer, make: Make) -> None:
    server.put("a", "one")
    patient, strict = make(stream=False, max_age=60.0), make(stream=False, max_age=0.0)
    assert [patient.get("a").source for _ in range(2)] == ["api", "cache"]
    assert [strict.get("a").source for _ in range(2)] == ["api", "api"]
    assert server.fetches()[-1].headers["if-none-match"] == '"a-1"'
    server.put("a", "two")
    assert strict.get("a").text == "two"
    assert patient.get("a").text == "one"


def test_without_stream_nothing_listens(server: FakeServer, make: Make) -> None:
    client = make(stream=False)
    server.put("a", "one")
    client.get("a")
    assert not any(seen.path.endswith("/stream") for seen in server.seen)


def test_polling_retires_when_the_stream_is_back(server: FakeServer, make: Make, eventually: Eventually) -> None:
    server.rules.append(no_stream)
    client = make(max_age=0.0)
    server.put("a", "one")
    assert client.get("a").source == "api"
    assert client.get("a").source == "api"
    eventually(lambda: sum(seen.path.endswith("/stream") for seen in server.seen) >= 2)
    server.rules.clear()
    eventually(lambda: client.connected)
    eventually(lambda: client.get("a").source == "stream")
    before = len(server.fetches())
    assert client.get("a").source == "stream"
    assert len(server.fetches()) == before


def test_single_flight(server: FakeServer, client: Xr2) -> None:
    gate = threading.Event()

    def slow(seen: Seen) -> Reply | None:
        if "/prompts/" in seen.path:
            gate.wait(60)
        return None

    server.put("a", "one")
    server.rules.append(slow)
    with ThreadPoolExecutor(20) as pool:
        gets = [pool.submit(client.get, "a") for _ in range(20)]
        while not server.seen:
            time.sleep(0.001)
        gate.set()
        assert {get.result().text for get in gets} == {"one"}
    assert len(server.fetches()) <= 2


def test_a_version_is_never_served_for_a_label(server: FakeServer, client: Xr2) -> None:
    server.put("a", "one")
    server.put("a", "two")
    assert client.get("a", version=1).text == "one"
    assert client.get("a").text == "two"
    assert client.get("a", version=1).text == "one"
    assert client.get("a", version=1).label is None
    assert server.fetches()[0].query == {"version": "1"}


def test_not_found_evicts(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    connected(client, eventually)
    server.remove("a")

    def gone() -> bool:
        try:
            client.get("a")
        except NotFound as error:
            assert error.status == 404
            assert error.request_id == "req-1"
            assert "a@production" in str(error)
            return True
        return False

    eventually(gone)
    assert client.get("a", fallback="plan b").text == "plan b"
    server.put("a", "back")
    eventually(lambda: client.get("a", fallback="plan b").text == "back")


def test_changes_missed_while_away_are_found_by_the_greeting(
    server: FakeServer, client: Xr2, eventually: Eventually
) -> None:
    server.put("a", "one")
    connected(client, eventually)
    server.rules.append(no_stream)
    server.drop_streams()
    eventually(lambda: not client.connected)
    server.put("a", "two", announce=False)
    server.rules.clear()
    eventually(lambda: client.connected)
    eventually(lambda: client.get("a").text == "two")


def test_reconnecting_with_nothing_changed_asks_nothing(
    server: FakeServer, client: Xr2, eventually: Eventually
) -> None:
    server.put("a", "one")
    server.put("b", "other")
    connected(client, eventually)
    connected(client, eventually, "b")
    server.put("b", "newer")
    eventually(lambda: client.get("b").text == "newer")
    asked = len(server.fetches("a"))
    server.drop_streams()
    eventually(lambda: sum(seen.path.endswith("/stream") for seen in server.seen) >= 2)
    eventually(lambda: client.get("a").source == "stream")
    assert len(server.fetches("a")) == asked


def test_resync_confirms_everything(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    connected(client, eventually)
    server.put("a", "two", announce=False)
    server.emit("resync", {"revision": server.revision})
    eventually(lambda: client.get("a").text == "two")
    assert int(server.fetches()[-1].headers["x-xr2-min-revision"]) == server.revision


def test_an_older_answer_never_replaces_a_newer_one(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    server.put("a", "two")
    connected(client, eventually)
    old = {
        "success": True,
        "data": {"slug": "a", "content": "one", "version": 1, "rendered": True},
        "meta": {},
    }
    server.rules.append(lambda seen: Reply(200, old, {"X-XR2-Revision": "1"}) if "/prompts/" in seen.path else None)
    server.emit("resync", {"revision": server.revision})
    asked = len(server.fetches())
    eventually(lambda: len(server.fetches()) > asked)
    assert client.get("a").text == "two"


def test_a_server_without_revisions_works_too(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.send_revision = False
    server.put("a", "one")
    client.get("a")
    eventually(lambda: client.connected)
    eventually(lambda: client.get("a").source == "stream")
    server.put("a", "two")
    eventually(lambda: client.get("a").text == "two")


def test_a_change_while_its_fetch_is_under_way(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    connected(client, eventually)
    gate = threading.Event()
    old: list[Reply] = []

    def hold_the_first(seen: Seen) -> Reply | None:
        if "/prompts/" not in seen.path or old:
            return None
        old.append(server._deliver(seen))
        gate.wait(60)
        return old[0]

    server.rules.append(hold_the_first)
    server.put("a", "two")
    eventually(lambda: old)
    server.put("a", "three")
    slot = client._core.engine.look(Key("a", "production"), 0).slot
    eventually(lambda: slot.needs_revision == server.revision)
    gate.set()
    eventually(lambda: client.get("a").text == "three")


def test_the_memory_is_bounded(server: FakeServer, make: Make) -> None:
    client = make(cache_size=3, stream=False)
    for index in range(10):
        server.put(f"p{index}", str(index))
        client.get(f"p{index}")
    assert len(client._core.engine) == 3
    assert client.get("p9").source == "cache"
    assert client.get("p0").source == "api"


def test_changing_a_prompt_changes_nobody_elses(server: FakeServer, client: Xr2) -> None:
    server.put("a", None, type="chat", messages=[{"role": "user", "content": "Hi"}])
    mine = client.get("a")
    mine.config["nested"]["a"] = 2
    assert mine.messages is not None
    mine.messages.clear()
    other = client.get("a")
    assert other.config == {"model": "m", "nested": {"a": 1}}
    assert other.messages == [{"role": "user", "content": "Hi"}]


def test_get_many(server: FakeServer, client: Xr2) -> None:
    for slug in ("a", "b", "c"):
        server.put(slug, slug.upper())
    assert {slug: p.text for slug, p in client.get_many(["a", "b", "c", "a"]).items()} == {
        "a": "A",
        "b": "B",
        "c": "C",
    }
    with pytest.raises(NotFound) as caught:
        client.get_many(["a", "x", "y"])
    assert caught.value.details == {"slugs": ["x", "y"]}
    assert client.get_many(["a", "x"], fallbacks={"x": "X"})["x"].text == "X"


def test_a_prompt_in_a_running_test_is_asked_for_each_time(server: FakeServer, client: Xr2) -> None:
    server.put("a", "one")
    data = {
        "slug": "a",
        "content": "b",
        "version": 1,
        "rendered": True,
        "ab_test": {"id": "t", "variant": "b"},
    }
    server.rules.append(
        lambda seen: Reply(200, {"data": data}, {"Cache-Control": "no-store"}) if "/prompts/" in seen.path else None
    )
    assert client.get("a").variant == "b"
    assert client.get("a").source == "api"


def test_users_have_copies_of_their_own(server: FakeServer, client: Xr2) -> None:
    server.put("a", "one")
    client.get("a", user_id="u1")
    client.get("a", user_id="u2")
    client.get("a", user_id="")
    assert [seen.query.get("user_id") for seen in server.fetches()] == ["u1", "u2", None]


def test_watch(server: FakeServer, client: Xr2) -> None:
    server.put("a", "one")
    watched = client.watch("a")
    assert next(watched).text == "one"
    threading.Timer(0.05, server.put, ("a", "two")).start()
    assert next(watched).text == "two"
    watched.close()  # type: ignore[attr-defined]
    assert not client._core.engine.listeners


def test_closing(server: FakeServer, make: Make, eventually: Eventually) -> None:
    server.put("a", "one")
    with make() as client:
        client.get("a")
        eventually(lambda: client.connected)
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("xr2-")])
    with pytest.raises(ClientClosed):
        client.get("a", fallback="x")

    # The server only learns of it when a write fails.
    def noticed() -> bool:
        server.heartbeat()
        return server.stream_count() == 0

    eventually(noticed)


def test_a_client_let_go_of_ends_its_threads(server: FakeServer, eventually: Eventually) -> None:
    from fakeserver import KEY

    server.put("a", "one")
    client = Xr2(KEY, server.url)
    client.get("a")
    engine = client._core.engine
    eventually(lambda: engine.stream.live)
    del client
    eventually(lambda: not [t for t in threading.enumerate() if t.name == "xr2-stream"])


def test_requests_carry_what_they_should(server: FakeServer, client: Xr2) -> None:
    server.put("a", "one")
    client.get("a", optimized_for="gpt-4")
    (seen,) = server.fetches()
    assert seen.headers["user-agent"] == "xr2-python/0.1.0"
    assert seen.query == {"label": "production", "optimized_for": "gpt-4"}
    assert "gpt" not in str(seen.headers)
