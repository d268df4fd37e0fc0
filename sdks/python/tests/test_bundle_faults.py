"""The shared bundle and stream when something fails: streams, bundles, servers, keys, proxies."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fakeserver import FakeServer, Reply, Seen, failure, hang
from watching import HTML, Eventually, Make, downloads, no_stream, settled, table_of, with_text
from xr2 import AuthError


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
    assert (downloads(bundles), len(bundles.streams_asked())) == (1, 1)


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


def test_a_key_refused_for_one_prompt_is_refused_for_all(
    bundles: FakeServer, shared: Make, eventually: Eventually
) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    bundles.rules.append(lambda seen: failure(401, "UNAUTHENTICATED", "revoked"))
    with pytest.raises(AuthError):
        client.get("a", version=1)
    with pytest.raises(AuthError):
        client.get("a")


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
        eventually(with_text(client, "two"))
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
    eventually(with_text(client, "one"))
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
