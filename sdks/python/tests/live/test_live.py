"""The client against a real server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from xr2 import (
    AsyncXr2,
    AuthError,
    InvalidVariables,
    MissingVariables,
    NotFound,
    Prompt,
    TemplateError,
    Xr2,
)

from .conftest import PATIENCE, Live, within

Make = Callable[..., Xr2]
NAME = {"name": "name", "type": "string", "required": True}
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "quickstart.py"


def settled(client: Xr2, slug: str) -> None:
    """A copy in memory that the stream vouches for."""
    client.get(slug)
    within(lambda: client.get(slug).source == "stream")


def with_text(client: Xr2, slug: str, text: str) -> Prompt | None:
    prompt = client.get(slug)
    return prompt if prompt.content == text else None


def is_gone(client: Xr2, slug: str) -> bool:
    try:
        client.get(slug)
    except NotFound:
        return True
    return False


def test_get_and_render(live: Live, client: Xr2) -> None:
    slug = live.create(
        "Hello {{ name }}!", variables=[NAME], config={"model": "gpt-4o", "temperature": 0.2}, tags=["py"]
    )
    prompt = client.get(slug)
    assert (prompt.content, prompt.version, prompt.label, prompt.source) == (
        "Hello {{ name }}!",
        1,
        "production",
        "api",
    )
    assert (prompt.syntax, prompt.type, prompt.rendered) == ("simple", "text", False)
    assert prompt.config == {"model": "gpt-4o", "temperature": 0.2}
    assert prompt.tags == ["py"]
    assert prompt.variables[0]["name"] == "name"
    assert prompt.updated_at is not None
    assert prompt.render(name="Ada").text == "Hello Ada!"


def test_a_publish_is_there_within_a_second(live: Live, client: Xr2) -> None:
    slug = live.create("one")
    settled(client, slug)
    for text in ("two", "three", "four"):
        live.publish(slug, text)
        prompt = within(partial(with_text, client, slug, text))
        assert prompt.source in ("stream", "api")
    within(lambda: client.get(slug).source == "stream")


def test_without_a_stream_a_publish_is_there_within_a_second_too(live: Live, make: Make) -> None:
    client = make(stream=False)
    slug = live.create("one")
    assert client.get(slug).content == "one"
    assert client.get(slug).source == "cache"
    live.publish(slug, "two")
    within(lambda: client.get(slug).content == "two")


def test_not_modified_keeps_the_copy(live: Live, make: Make) -> None:
    client = make(stream=False, max_age=0.0)
    slug = live.create("one")
    first, second = client.get(slug), client.get(slug)
    assert (first.content, second.content, second.source) == ("one", "one", "api")


def test_rolling_back(live: Live, client: Xr2) -> None:
    slug = live.create("one")
    live.publish(slug, "two")
    settled(client, slug)
    assert client.get(slug).content == "two"
    live.point(slug, 1)
    prompt = within(partial(with_text, client, slug, "one"))
    assert prompt.version == 1


def test_versions_and_labels_are_kept_apart(live: Live, client: Xr2) -> None:
    slug = live.create("one")
    live.publish(slug, "two")
    assert client.get(slug, version=1).content == "one"
    assert client.get(slug).content == "two"
    assert client.get(slug, label="latest").content == "two"
    assert client.get(slug, version=1).content == "one"
    with pytest.raises(NotFound):
        client.get(slug, version=99)
    with pytest.raises(NotFound):
        client.get(slug, label="no-such-label")


def test_saved_but_not_published(live: Live, client: Xr2) -> None:
    slug = live.create("one")
    settled(client, slug)
    assert client.get(slug, label="latest").content == "one"
    live.call("PUT", f"/prompts/{slug}", {"content": "two", "publish": False})
    within(lambda: client.get(slug, label="latest").content == "two")
    assert client.get(slug).content == "one"


def test_deletion_evicts(live: Live, client: Xr2) -> None:
    slug = live.create("one")
    settled(client, slug)
    live.delete(slug)
    within(lambda: is_gone(client, slug))
    assert client.get(slug, fallback="plan b").content == "plan b"
    live.call("POST", f"/prompts/{slug}/undelete")
    within(lambda: client.get(slug, fallback="plan b").content == "one")


def test_nothing_of_that_name(client: Xr2) -> None:
    with pytest.raises(NotFound) as caught:
        client.get("no-such-prompt")
    assert caught.value.status == 404
    assert caught.value.request_id
    assert "not found" in caught.value.message


def test_a_revoked_key_ends_at_once(live: Live, make: Make) -> None:
    slug = live.create("one")
    key_id, key = live.make_key(scopes=["deliver"])
    client = make(key)
    settled(client, slug)
    live.call("DELETE", f"/api-keys/{key_id}")

    def refused() -> bool:
        try:
            client.get(slug)
        except AuthError as error:
            return error.status == 401
        return False

    within(refused)
    assert client.get(slug, fallback="plan b").content == "plan b"


def test_a_garbled_key(make: Make) -> None:
    with pytest.raises(AuthError):
        make("xr2_garbled0123456789").get("anything")


def test_jinja_is_rendered_by_the_server_at_its_version(live: Live, client: Xr2) -> None:
    template = "{% for item in items %}{{ loop.index }}. {{ item|upper }}\n{% endfor %}"
    slug = live.create(template, syntax="jinja", variables=[{"name": "items", "type": "array", "required": True}])
    prompt = client.get(slug)
    assert prompt.syntax == "jinja"
    live.publish(slug, "{% if items %}new{% endif %}")
    done = prompt.render(items=["a", "b"])
    assert (done.content, done.version, done.rendered) == ("1. A\n2. B\n", 1, True)
    with pytest.raises(MissingVariables) as caught:
        prompt.render()
    assert caught.value.variables[0]["name"] == "items"
    with pytest.raises(InvalidVariables):
        prompt.render(items="no list")


def test_template_errors_are_told_apart(live: Live, client: Xr2) -> None:
    slug = live.create("{% for i in range(n) %}{{ i }}{% endfor %}", syntax="jinja")
    with pytest.raises(TemplateError):
        client.get(slug).render(n=1_000_000)


VALUES: list[dict[str, Any]] = [
    {"name": "Ada", "any": [1.0, 1e21, 1e-7, {"b": 1, "a": None}], "count": 3},
    {"name": "{{ any }}", "any": None, "count": 3.0, "nmae": "typo"},
    {"name": "<&>\u2028\n", "any": {"deep": {"er": True}}, "count": 12345678901234567},
    {"any": 1},
    {"name": 7, "count": 0},
    {"name": "Ada", "count": 2.5},
]


@pytest.mark.parametrize("values", VALUES)
def test_rendering_here_and_there_is_the_same(live: Live, client: Xr2, values: dict[str, Any]) -> None:
    variables = [NAME, {"name": "count", "type": "integer", "min": 1}, {"name": "any", "type": "any"}]
    slug = live.create(
        "{{{name}}} {{ count }} {{any}} {{ any.deep.er }} {{ First Name }}", syntax="simple", variables=variables
    )
    there = live.http.post(f"/prompts/{slug}/render", json={"variables": values}).json()
    prompt = client.get(slug)
    if not there["success"]:
        with pytest.raises((MissingVariables, InvalidVariables)) as caught:
            prompt.render(values)
        assert caught.value.code == there["error"]["code"]
        assert caught.value.variables == there["error"]["details"]["variables"]
        return
    here = prompt.render(values)
    assert here.content == there["data"]["content"]
    assert here.missing == there["data"].get("missing", [])
    assert [w["variable"] for w in here.warnings] == [w["variable"] for w in (there["meta"] or {}).get("warnings", [])]


CHAT = [
    {"role": "system", "content": "You are {{ tone }}."},
    {"type": "placeholder", "name": "history"},
    {"role": "user", "content": "Hello"},
]


def test_chat_and_providers_agree_with_the_server(live: Live, client: Xr2) -> None:
    slug = live.create(CHAT, config={"model": "some-model", "temperature": 0.5, "max_tokens": 100})
    history = [{"role": "user", "content": "{{ tone }}"}, {"role": "assistant", "content": "ok"}]
    values = {"tone": "kind", "history": history}
    done = client.get(slug).render(values)
    assert done.messages == [
        {"role": "system", "content": "You are kind."},
        *history,
        {"role": "user", "content": "Hello"},
    ]
    for provider in ("openai", "anthropic", "google"):
        there = live.call("POST", f"/prompts/{slug}/render", {"variables": values, "format": provider})
        here = getattr(done, f"to_{provider}")()
        assert here == there["request"]
        assert [w["code"] for w in here.warnings] == [w["code"] for w in there.get("warnings", [])]


def test_a_snippets_publish_reaches_its_dependents(live: Live, client: Xr2) -> None:
    snippet = live.create("be kind")
    slug = live.create(f'{{% include "{snippet}" %}} and brief', syntax="jinja")
    settled(client, slug)
    assert client.get(slug).render().content == "be kind and brief"
    live.publish(snippet, "be honest")
    within(lambda: client.get(slug).render().content == "be honest and brief")


def test_the_fluent_form(live: Live, client: Xr2) -> None:
    slug = live.create("Hello {{ name }}!")
    wanted = client.get_prompt("no-such-prompt").with_variables({"name": "John"}).optimized_for("gpt-4").fallback(slug)
    assert wanted.text == "Hello John!"


def test_many_at_once(live: Live, client: Xr2) -> None:
    slugs = [live.create(f"text {index}") for index in range(10)]
    found = client.get_many(slugs)
    assert [found[slug].content for slug in slugs] == [f"text {index}" for index in range(10)]
    with ThreadPoolExecutor(32) as pool:
        texts = list(pool.map(lambda index: client.get(slugs[index % 10]).content, range(1000)))
    assert texts == [f"text {index % 10}" for index in range(1000)]


def test_asyncio(live: Live) -> None:
    slug = live.create("Hello {{ name }}!", variables=[NAME])

    async def text(client: AsyncXr2, wanted: str) -> None:
        ends_at = time.monotonic() + PATIENCE
        while (await client.get(slug)).content != wanted:
            assert time.monotonic() < ends_at
            await asyncio.sleep(0.002)

    async def run() -> None:
        async with AsyncXr2(live.api_key, live.url) as client:
            prompt = await client.get(slug)
            assert (await prompt.render(name="Ada")).text == "Hello Ada!"
            with pytest.raises(MissingVariables):
                await prompt.render()
            ends_at = time.monotonic() + PATIENCE
            while not client.connected:
                assert time.monotonic() < ends_at
                await asyncio.sleep(0.002)
            await asyncio.to_thread(live.publish, slug, "new")
            await text(client, "new")
            await asyncio.to_thread(live.delete, slug)
            assert (await client.get_prompt(slug).fallback(text="plan b")).text in ("new", "plan b")

    asyncio.run(run())


def test_the_example_prints_each_new_text(live: Live) -> None:
    slug = live.create("Hello {{ name }}, this is one")
    command = [sys.executable, str(EXAMPLE), slug, "name=Ada", "--watch"]
    environment = {**os.environ, "XR2_URL": live.url, "XR2_API_KEY": live.api_key, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:  # noqa: S603
        try:
            assert program.stdout is not None
            assert "Hello Ada, this is one" in program.stdout.readline()
            live.publish(slug, "Hello {{ name }}, this is two")
            assert "Hello Ada, this is two" in program.stdout.readline()
        finally:
            program.kill()
