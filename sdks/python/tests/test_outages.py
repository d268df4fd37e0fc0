"""The blocking client over real sockets when something fails: server, network, proxy, key."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from fakeserver import FakeServer, Reply, Seen, failure, hang
from xr2 import AuthError, ConnectionFailed, ProtocolError, RequestTimeout, Xr2

Make = Callable[..., Xr2]
Eventually = Callable[..., Any]


def connected(client: Xr2, eventually: Eventually, slug: str = "a") -> None:
    """Bring a copy into memory and wait until the stream vouches for it."""
    client.get(slug)
    eventually(lambda: client.get(slug).source == "stream")


def refuse_prompts(status: int, code: str) -> Callable[[Seen], Reply | None]:
    def rule(seen: Seen) -> Reply | None:
        return failure(status, code, "told to") if "/prompts/" in seen.path else None

    return rule


def test_a_proxys_404_evicts_nothing(server: FakeServer, make: Make) -> None:
    client = make(max_age=0.0, stream=False, retries=0)
    server.put("a", "one")
    client.get("a")
    server.rules.append(lambda seen: Reply(404, b"<html>nginx</html>", {"Content-Type": "text/html"}))
    prompt = client.get("a")
    assert (prompt.text, prompt.source, prompt.stale) == ("one", "cache", True)
    with pytest.raises(ProtocolError, match="no explanation"):
        client.get("other")


@pytest.mark.parametrize("status", [500, 502, 503, 429, 0])
def test_an_outage_is_survived_on_the_last_good_copy(server: FakeServer, make: Make, status: int) -> None:
    client = make(max_age=0.0, stream=False)
    server.put("a", "one")
    assert client.get("a").stale is False
    server.rules.append(lambda seen: failure(status, "UNAVAILABLE", "told to") if status else Reply(0))
    prompt = client.get("a")
    assert (prompt.text, prompt.source, prompt.stale) == ("one", "cache", True)
    calls = len(server.seen)
    for _ in range(200):
        assert client.get("a").stale
    assert len(server.seen) - calls <= 6, "in an outage nobody waits"
    server.rules.clear()
    server.put("a", "two")
    assert eventually_text(client, "two")


def eventually_text(client: Xr2, text: str) -> bool:
    ends_at = time.monotonic() + 60
    while client.get("a").text != text:
        assert time.monotonic() < ends_at
        time.sleep(0.005)
    return True


def test_a_server_that_hangs_costs_a_second_once(server: FakeServer, make: Make) -> None:
    client = make(max_age=0.0, stream=False, read_timeout=600.0)
    server.put("a", "one")
    client.get("a")
    server.rules.append(hang(server))
    began = time.monotonic()
    assert client.get("a").stale
    assert 0.8 < time.monotonic() - began < 60
    began = time.monotonic()
    for _ in range(60):
        assert client.get("a").stale
    assert time.monotonic() - began < 30, "a second each would be a minute"


def test_killed_and_started_again(server: FakeServer, make: Make, eventually: Eventually) -> None:
    client = make()
    server.put("a", "one")
    connected(client, eventually)
    server.stop()
    eventually(lambda: not client.connected)
    assert client.get("a").text == "one"
    fresh = FakeServer(server.port)
    try:
        fresh.prompts, fresh.revision = server.prompts, server.revision
        fresh.put("a", "two")
        eventually(lambda: client.connected)
        eventually(lambda: client.get("a").text == "two")
        eventually(lambda: client.get("a").source == "stream")
    finally:
        client.close()
        fresh.stop()


def test_a_revoked_key_does_not_go_on_silently(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    connected(client, eventually)
    server.valid_key = False
    server.drop_streams()

    def refused() -> bool:
        try:
            client.get("a")
        except AuthError as error:
            return error.status == 401
        return False

    eventually(refused)
    with pytest.raises(AuthError):
        client.get("a")
    prompt = client.get("a", fallback="plan b")
    assert prompt.is_fallback
    assert isinstance(prompt.cause, AuthError)


def test_forbidden_drops_the_copy(server: FakeServer, make: Make) -> None:
    client = make(max_age=0.0, stream=False)
    server.put("a", "one")
    client.get("a")
    server.rules.append(refuse_prompts(403, "FORBIDDEN"))
    with pytest.raises(AuthError) as caught:
        client.get("a")
    assert caught.value.code == "FORBIDDEN"


def test_retries_then_succeeds(server: FakeServer, make: Make) -> None:
    client = make(stream=False)
    server.put("a", "one")
    left = [failure(503, "UNAVAILABLE", "soon"), Reply(0)]
    server.rules.append(lambda seen: left.pop() if left and "/prompts/" in seen.path else None)
    assert client.get("a").text == "one"
    assert len(server.fetches()) == 3


def test_retry_after_is_honoured(server: FakeServer, make: Make) -> None:
    client = make(stream=False)
    server.put("a", "one")
    left = [failure(429, "RATE_LIMITED", "slow down", Retry_After="1")]
    server.rules.append(lambda seen: left.pop() if left and "/prompts/" in seen.path else None)
    began = time.monotonic()
    assert client.get("a").text == "one"
    assert time.monotonic() - began >= 1


def test_too_long_a_retry_after_is_told(server: FakeServer, make: Make) -> None:
    client = make(stream=False)
    server.rules.append(lambda seen: failure(429, "RATE_LIMITED", "slow down", Retry_After="30"))
    began = time.monotonic()
    with pytest.raises(Exception, match="slow down") as caught:
        client.get("a")
    assert time.monotonic() - began < 20
    assert getattr(caught.value, "retry_after", None) == 30
    assert len(server.fetches()) == 1


def test_nobody_there(make: Make, server: FakeServer) -> None:
    client = Xr2("xr2_key_0123456789abcdef0123", "http://127.0.0.1:9", stream=False, retries=0)
    with pytest.raises(ConnectionFailed, match=r"could not be reached.*fallback=") as caught:
        client.get("a")
    assert caught.value.code == "CONNECTION_FAILED"
    prompt = client.get("a", fallback=[{"role": "user", "content": "Hi {{ name }}"}])
    assert prompt.render(name="Ada").messages == [{"role": "user", "content": "Hi Ada"}]
    assert prompt.source == "fallback"
    client.close()


def test_the_calls_own_timeout(server: FakeServer, make: Make) -> None:
    client = make(stream=False, read_timeout=600.0)
    server.rules.append(hang(server))
    began = time.monotonic()
    with pytest.raises(RequestTimeout):
        client.get("a", timeout=0.1)
    assert time.monotonic() - began < 60
    assert client.get("b", timeout=0.1, fallback="x").text == "x"
