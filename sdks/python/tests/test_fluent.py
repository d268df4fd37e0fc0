"""The documents' fluent form, the default client, and rendering on the server."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import xr2 as package
from fakeserver import KEY, FakeServer, Reply, Seen, failure
from xr2 import MissingVariables, NotFound, Xr2, xr2

Eventually = Callable[..., Any]


def test_the_documents_example(server: FakeServer) -> None:
    server.put(
        "welcome-message",
        "Hello {{ name }}",
        variables=[{"name": "name", "type": "string", "required": True}],
    )
    with xr2(api_key=KEY, url=server.url) as client:
        prompt = (
            client.get_prompt("welcome-message")
            .with_variables({"name": "John"})
            .optimized_for("gpt-4")
            .fallback("welcome-generic")
        )
        assert not server.fetches()
        assert prompt.text == "Hello John"
        assert str(prompt) == "Hello John"
        assert server.fetches()[0].query["optimized_for"] == "gpt-4"
        with pytest.raises(MissingVariables):
            _ = client.get_prompt("welcome-message").with_variables().text


def test_every_look_gives_the_present_text(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    wanted = client.get_prompt("a")
    assert wanted.text == "one"
    server.put("a", "two")
    eventually(lambda: wanted.text == "two")
    assert "a" in repr(wanted)


def test_fallbacks(server: FakeServer, client: Xr2) -> None:
    server.put("generic", "Hello")
    server.put("generic", "Hello again")
    wanted = client.get_prompt("nope").fallback("generic")
    assert wanted.text == "Hello again"
    assert wanted.version(1).text == "Hello again"
    assert client.get_prompt("nope").fallback("nix", text="bye").text == "bye"
    chat = client.get_prompt("nope").fallback(messages=[{"role": "user", "content": "Hi"}])
    assert chat.messages == [{"role": "user", "content": "Hi"}]
    with pytest.raises(NotFound, match="nope"):
        _ = client.get_prompt("nope").fallback("nix").text
    assert client.get_prompt("generic").version(1).get().text == "Hello"
    assert client.get_prompt("generic").label("production").for_user("u").get().text == "Hello again"


def test_jinja_is_rendered_by_the_server_at_the_version_held(server: FakeServer, client: Xr2) -> None:
    server.put("j", "{% if x %}{% endif %}", syntax="jinja")
    prompt = client.get("j")
    server.put("j", "newer", syntax="jinja")
    done = prompt.render({"x": [1]}, y="z")
    assert done.text == 'rendered v1 with {"x": [1], "y": "z"}'
    assert (done.version, done.label, done.rendered) == (1, "production", True)
    (sent,) = [seen.body for seen in server.seen if seen.method == "POST"]
    assert sent == {"variables": {"x": [1], "y": "z"}, "version": 1}


def test_a_key_confined_to_labels_renders_what_its_label_points_at(server: FakeServer, client: Xr2) -> None:
    server.put("j", "{% if x %}{% endif %}", syntax="jinja")
    prompt = client.get("j")
    sent: list[Any] = []

    def confined(seen: Seen) -> Reply | None:
        if seen.method != "POST":
            return None
        sent.append(seen.body)
        if "version" in seen.body:
            return failure(403, "FORBIDDEN", "this API key may fetch only the versions its labels point at")
        data = {"slug": "j", "content": "newer", "version": 2, "label": "production", "rendered": True}
        return Reply(200, {"data": data})

    server.rules.append(confined)
    done = prompt.render(x=1)
    assert (done.text, done.version) == ("newer", 2)
    assert [list(body) for body in sent] == [["variables", "version"], ["variables", "label"]]


def test_the_fallback_covers_rendering_too(server: FakeServer, client: Xr2) -> None:
    server.put("j", "{% if x %}{% endif %}", syntax="jinja")
    prompt = client.get("j", fallback="plain {{ x }}")
    assert prompt.source == "api"
    server.rules.append(lambda seen: failure(503, "UNAVAILABLE", "down"))
    assert prompt.render(x=1).text == "plain 1"
    server.rules[:] = [lambda seen: failure(422, "TEMPLATE_ERROR", "bad")]
    with pytest.raises(package.TemplateError):
        prompt.render(x=1)


def test_the_default_client(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put("a", "Hi {{ name }}")
    monkeypatch.setenv("XR2_API_KEY", KEY)
    monkeypatch.setenv("XR2_URL", server.url)
    try:
        assert package.get("a").render(name="Ada").text == "Hi Ada"
        assert xr2.get_many(["a"])["a"].source in ("cache", "stream")
        assert package.get_prompt("a").with_variables(name="Bo").text == "Hi Bo"
        assert next(package.watch("a")).version == 1
        other = package.configure(KEY, server.url, label="production")
        assert xr2.client is other
    finally:
        xr2.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_fork(server: FakeServer, client: Xr2, eventually: Eventually) -> None:
    server.put("a", "one")
    client.get("a")
    eventually(lambda: client.get("a").source == "stream")
    published, report = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            assert client.get("a").text in ("one", "two")
            os.read(published[0], 1)
            eventually(lambda: client.get("a").text == "two")
            eventually(lambda: client.get("a").source == "stream")
            told = "all is well"
        except BaseException:
            told = traceback.format_exc()
        os.write(report[1], told.encode()[:4000])
        os._exit(0)
    server.put("a", "two")
    os.write(published[1], b"x")
    told = os.read(report[0], 4000).decode()
    os.waitpid(child, 0)
    for end in (*published, *report):
        os.close(end)
    assert told == "all is well"
    assert client.get("a").source in ("stream", "cache", "api")
    eventually(lambda: client.get("a").text == "two")
