"""Prompts for users: everybody's copy serves them, unless an A/B test decides who gets what."""

from __future__ import annotations

import asyncio

import pytest

from fakeserver import KEY, FakeServer, failure
from watching import Eventually, Make, settled, table_of
from xr2 import AsyncXr2, NotFound

TEST = {"id": "t", "variant": "blue"}


def test_users_are_served_from_memory(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    settled(client, eventually)
    asked = len(bundles.fetches())
    for number in range(100):
        prompt = client.get("a", user_id=f"u{number}")
        assert (prompt.text, prompt.source) == ("one", "stream")
    assert set(client.get_many(["a"], user_id="u")) == {"a"}
    bundles.put("a", "two")
    eventually(lambda: client.get("a", user_id="u").text == "two")
    for number in range(50):
        with pytest.raises(NotFound):
            client.get("b", user_id=f"u{number}")

    async def run() -> None:
        async with AsyncXr2(KEY, bundles.url) as other:
            prompt = await other.get("a", user_id="u")
            assert (prompt.text, prompt.source) == ("two", "stream")

    asyncio.run(run())
    assert len(bundles.fetches()) == asked + 1, "once for the prompt that is not there"
    assert [seen.query for seen in bundles.streams_asked()] == [{"label": "production"}]


def test_the_first_call_for_a_user_brings_the_bundle(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared()
    assert client.get("a", user_id="u").text == "one"
    eventually(lambda: client.get("a", user_id="u").source == "stream")
    assert table_of(client).loaded
    eventually(lambda: client._core.engine.held_keys() == [])


def test_users_are_served_while_the_server_is_away(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one")
    client = shared(retries=0, max_age=0.0)
    settled(client, eventually)
    bundles.stop()
    eventually(lambda: not client.connected)
    for number in range(20):
        assert client.get("a", user_id=f"u{number}").text == "one"


def test_the_server_renders_for_the_user(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("j", "{% if x %}{% endif %}", syntax="jinja", variables=[{"name": "x", "type": "integer"}])
    client = shared()
    settled(client, eventually, "j")
    for user in ("u", "", None):
        client.get("j", user_id=user).render(x=1)
    renders = [seen.body for seen in bundles.seen if seen.path.endswith("/render")]
    assert [body.get("user_id") for body in renders] == ["u", None, None]


@pytest.mark.parametrize("user", ["u", None])
def test_while_a_test_runs_the_server_says_who_gets_what(
    bundles: FakeServer, shared: Make, eventually: Eventually, user: str | None
) -> None:
    bundles.put("a", "one", ab_test=TEST)
    bundles.put("b", "plain")
    client = shared()
    settled(client, eventually, "b")
    assert client.get("a", user_id=user).variant == "blue"
    assert [seen.query.get("user_id") for seen in bundles.fetches("a")] == [user]
    bundles.put("a", "two")
    # While the frame is taken in, what was fetched alone for it may still be handed out; it is as new.
    eventually(lambda: "a" in table_of(client).entries and client.get("a", user_id=user).source == "stream")
    prompt = client.get("a", user_id=user)
    assert (prompt.text, prompt.variant) == ("two", None)
    asked = len(bundles.fetches("a"))
    bundles.put("a", "three", ab_test=TEST)
    eventually(lambda: "a" not in table_of(client).entries)
    assert client.get("a", user_id=user).variant == "blue"
    assert len(bundles.fetches("a")) > asked


def test_users_of_a_test_are_told_apart(bundles: FakeServer, shared: Make, eventually: Eventually) -> None:
    bundles.put("a", "one", ab_test=TEST)
    bundles.put("b", "plain")
    client = shared()
    settled(client, eventually, "b")
    for user in ("u", "v", "u", "v"):
        client.get("a", user_id=user)
    assert {seen.query["user_id"] for seen in bundles.fetches("a")} == {"u", "v"}
    bundles.rules.append(lambda seen: failure(503, "UNAVAILABLE", "down") if "/prompts/" in seen.path else None)
    assert client.get("a", user_id="w", fallback="plan b").source == "fallback", "nobody gets another's variant"
