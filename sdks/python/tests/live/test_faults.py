"""The client against a real server that is killed, hidden behind a proxy, or told to count."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from xr2 import AuthError, Xr2

from .conftest import Live, within
from .own_server import OwnServer
from .proxy import BUNDLE, STREAM, Proxy

Make = Callable[..., Xr2]
LONG = 60.0
"""Seconds that a busy machine may take for what is usually done in one or five."""


@pytest.fixture
def proxy(live: Live) -> Iterator[Proxy]:
    proxy = Proxy(live.url)
    yield proxy
    proxy.close()


@pytest.fixture
def behind(live: Live, proxy: Proxy) -> Iterator[Callable[..., Xr2]]:
    """Makes clients behind the proxy."""
    clients: list[Xr2] = []

    def build(**options: Any) -> Xr2:
        clients.append(Xr2(live.api_key, proxy.url, **options))
        return clients[-1]

    yield build
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    server = OwnServer(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


def streams(client: Xr2, slug: str) -> bool:
    return client.get(slug).source == "stream"


def test_a_publish_changes_the_text_in_memory_without_a_request(live: Live, proxy: Proxy, behind: Make) -> None:
    slug = live.create("one")
    client = behind()
    within(lambda: streams(client, slug))
    asked = proxy.asked_for_texts()
    for _ in range(1000):
        assert client.get(slug).content == "one"
    live.publish(slug, "two")
    within(lambda: client.get(slug).content == "two")
    assert client.get(slug).source == "stream"
    assert proxy.asked_for_texts() == asked
    assert proxy.answers(STREAM) == [200]


def test_where_streams_are_blocked_a_bundle_that_is_the_same_is_not_downloaded_again(
    live: Live, proxy: Proxy, behind: Make
) -> None:
    slug = live.create("one")
    proxy.block_streams()
    client = behind()
    assert client.get(slug).content == "one"
    within(lambda: proxy.answers(BUNDLE).count(200) == 1)

    def polls(count: int) -> bool:
        client.get(slug)
        return proxy.answers(BUNDLE).count(304) >= count

    within(lambda: polls(2))
    assert proxy.answers(BUNDLE).count(200) == 1
    live.publish(slug, "two")
    within(lambda: client.get(slug).content == "two")
    assert proxy.answers(BUNDLE).count(200) == 2
    assert client.get(slug).source in ("cache", "api")

    # The stream is back: it takes over, and polling ends.
    proxy.blocked = False
    within(lambda: streams(client, slug))
    polled = len(proxy.answers(BUNDLE))
    for text in ("three", "four", "five"):
        live.publish(slug, text)
        within(lambda text=text: client.get(slug).content == text)  # type: ignore[misc]
    assert len(proxy.answers(BUNDLE)) == polled


def test_an_answer_that_is_late_overwrites_nothing_newer(live: Live, proxy: Proxy, behind: Make) -> None:
    slug = live.create("one")
    proxy.block_streams()
    client = behind()
    assert client.get(slug).content == "one"
    within(lambda: 200 in proxy.answers(BUNDLE))
    live.create("something else")
    proxy.hold(BUNDLE)
    within(lambda: client.get(slug).content == "one" and proxy.caught.is_set())
    # What is held says "one". Meanwhile the stream is back and brings what is newer.
    live.publish(slug, "two")
    proxy.blocked = False
    within(lambda: client.get(slug).content == "two")
    held = len(proxy.answers(BUNDLE))
    proxy.released.set()
    within(lambda: len(proxy.answers(BUNDLE)) > held or streams(client, slug))
    live.publish(slug, "three")
    seen = set()

    def sees(text: str) -> bool:
        seen.add(content := client.get(slug).content)
        return content == text

    within(lambda: sees("three"))
    assert seen <= {"two", "three"}


def test_a_killed_server_stops_no_read_and_is_found_again(own: OwnServer, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    slug = own.live.create("Hello {{ name }}!")
    with Xr2(own.live.api_key, own.url, snapshot=str(snapshot)) as client:
        within(lambda: streams(client, slug))
        within(snapshot.exists)
        own.kill()
        slowest = 0.0
        for _ in range(500):
            began = time.perf_counter()
            assert client.get(slug).render(name="Ada").text == "Hello Ada!"
            slowest = max(slowest, time.perf_counter() - began)
        assert slowest < 3.0, "nobody waits longer than for one confirmation"

        started = _cold_start(own, slug, snapshot)
        assert (started["text"], started["source"], started["stale"]) == ("Hello {{ name }}!", "disk", True)

        own.start()
        own.live.publish(slug, "Welcome back")
        within(lambda: client.get(slug).content == "Welcome back")
        within(lambda: streams(client, slug))


COLD = """
import json, sys
from xr2 import Xr2
url, key, slug, snapshot = sys.argv[1:]
with Xr2(key, url, snapshot=snapshot) as client:
    prompt = client.get(slug)
    print(json.dumps({"text": prompt.content, "source": prompt.source, "stale": prompt.stale}))
"""


def _cold_start(own: OwnServer, slug: str, snapshot: Path) -> dict[str, Any]:
    """What a program sees that starts while the server is away."""
    command = [sys.executable, "-c", COLD, own.url, own.live.api_key, slug, str(snapshot)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_revoked_key_ends_a_client_that_only_reads_its_memory(live: Live, make: Make) -> None:
    key_id, key = live.make_key()
    slug = live.create("secret")
    client = make(key)
    within(lambda: streams(client, slug))
    live.call("DELETE", f"/api-keys/{key_id}")

    def refused() -> bool:
        try:
            client.get(slug)
        except AuthError:
            return True
        return False

    within(refused)
    for _ in range(20):
        assert refused()


def _clients(live: Live, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = live.call("GET", "/clients", prompt=slug, label="production")
    return found


def test_the_server_knows_which_client_serves_what(live: Live, make: Make) -> None:
    slug = live.create("one")
    client = make()
    within(lambda: streams(client, slug))
    within(lambda: _clients(live, slug)["counts"] == {"total": 1, "current": 1, "silent": 0})
    within(lambda: _clients(live, slug)["instances"][0]["stream"])
    live.publish(slug, "two")
    within(lambda: _clients(live, slug)["instances"][0]["serving"][0]["version"] == 2)
    one = _clients(live, slug)["instances"][0]
    assert (one["current"], one["silent"], one["sdk"][:7]) == (True, False, "python/")
    client.get(slug)
    client.close()

    def reads() -> Any:
        return live.call("GET", f"/analytics/prompts/{slug}")["deliveries"]

    within(lambda: reads()["by_source"].get("sdk", 0) > 0)
    assert 0 < reads()["response_time"]["p50"] < 1000


FORK = """
import os, sys, time
from xr2 import Xr2
url, key, slug = sys.argv[1:]
client = Xr2(key, url)

def until(condition):
    ends_at = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.005)

def say(text):
    # In one piece: both write to the same pipe, and Python may write a line word by word.
    os.write(1, f"{who} {text}\\n".encode())

until(lambda: client.get(slug).source == "stream")
child = os.fork()
who = "child" if child == 0 else "parent"
say(client.get(slug).content)
until(lambda: client.get(slug).content == "two" and client.get(slug).source == "stream")
say("two")
sys.stdin.readline() if child else None
if child:
    os.kill(child, 15)
    os.waitpid(child, 0)
else:
    until(lambda: False)
client.close()
"""


def test_after_a_fork_both_are_clients_of_their_own(live: Live) -> None:
    slug = live.create("one")
    command = [sys.executable, "-c", FORK, live.url, live.api_key, slug]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as program:  # noqa: S603
        try:
            assert program.stdout is not None
            assert sorted([program.stdout.readline(), program.stdout.readline()]) == ["child one\n", "parent one\n"]
            live.publish(slug, "two")
            assert sorted([program.stdout.readline(), program.stdout.readline()]) == ["child two\n", "parent two\n"]
            within(lambda: _clients(live, slug)["counts"] == {"total": 2, "current": 2, "silent": 0})
            names = {one["instance"] for one in _clients(live, slug)["instances"]}
            assert len(names) == 2
            program.communicate("\n", timeout=LONG)
            assert program.returncode == 0
        finally:
            program.kill()


def test_what_is_in_use_stands_on_the_span(live: Live, client: Xr2) -> None:
    slug = live.create("one")
    tracer = TracerProvider().get_tracer("test")
    for wanted in ("api", "stream"):
        with tracer.start_as_current_span("answer a customer") as span:
            assert trace.get_current_span() is span
            assert client.get(slug).source == wanted
            attributes = dict(getattr(span, "attributes", None) or {})
        assert attributes == {"xr2.prompt.slug": slug, "xr2.prompt.version": 1, "xr2.prompt.label": "production"}
        within(lambda: streams(client, slug))
