"""The small parts: event decoder, numbers, settings, errors, patterns, templates."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

import xr2 as package
from xr2 import (
    AsyncXr2,
    ConfigurationError,
    InvalidVariables,
    MissingVariables,
    NotFound,
    NotRendered,
    Prompt,
    Xr2,
    xr2,
)
from xr2._contract import nearest
from xr2._pattern import found_in, matches_here
from xr2._sse import MAX_LINE, Event, SseDecoder
from xr2._template import discover, must_ask_server, render_data
from xr2._values import NotJson, to_text
from xr2._wire import Key, read_delivery, read_error
from xr2.errors import AuthError, ProtocolError, RateLimited, ServerError
from xr2.prompt import fallback_data

STREAM = (
    b'\xef\xbb\xbfevent: hello\r\ndata: {"revision": 1}\r\n\r\n: ping\n\n'
    b"id: 7\revent: changed\rdata: one\rdata: tw\xc3\xb6\r\r"
    b"data:no space\n\nretry: 1500\nid: bad\0id\nunknown: x\ndata\n\nevent: never sent"
)
EVENTS = [
    Event("hello", '{"revision": 1}', ""),
    Event("changed", "one\ntwö", "7"),
    Event("message", "no space", "7"),
    Event("message", "", "7"),
]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_events_whatever_the_cut(size: int) -> None:
    decoder = SseDecoder()
    found = [event for at in range(0, len(STREAM), size) for event in decoder.feed(STREAM[at : at + size])]
    assert found == EVENTS
    assert decoder.retry == 1.5


def test_events_cut_at_random() -> None:
    chance = random.Random(7)
    for _ in range(300):
        decoder, found, at = SseDecoder(), [], 0
        while at < len(STREAM):
            size = chance.choice([1, 2, 3, 20, 50])
            found += decoder.feed(STREAM[at : at + size])
            at += size
        assert found == EVENTS


def test_an_endless_line_is_refused() -> None:
    decoder = SseDecoder()
    decoder.feed(b"x" * MAX_LINE)
    with pytest.raises(ValueError, match="too long"):
        decoder.feed(b"x")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("", ""), ("{{ x }}", "{{ x }}"), (True, "true"), (False, "false"), (0, "0"), (-0.0, "0"),
        (1.0, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"),
        (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.25e22, "1.25e+22"), (123456789.125, "123456789.125"),
        (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"), (123e18, "123000000000000000000"),
        (12345678901234567890, "12345678901234567890"), (9007199254740993, "9007199254740993"),
        (0.000123, "0.000123"), (100.0, "100"), (1e16, "10000000000000000"),
        ([1, 2.0, "a", None, True], '[1,2,"a",null,true]'), ({"b": 1, "a": {"c": [1e21]}}, '{"b":1,"a":{"c":[1e+21]}}'),
        ({"10": 1, "9": 2}, '{"10":1,"9":2}'), ("é\u2028", "é\u2028"), (["é\u2028\x7f\x1f\n\"\\/"], '["é\u2028\x7f\\u001f\\n\\"\\\\/"]'),
        ((), "[]"), ({}, "{}"),
    ],
)  # fmt: skip
def test_value_to_text(value: Any, text: str) -> None:
    assert to_text(value) == text


def test_value_without_text() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value in (float("nan"), float("inf"), object(), {1: 2}, [set()], endless):
        with pytest.raises(NotJson):
            to_text(value)


def test_simple_templates_against_chance() -> None:
    """No input breaks the renderer, and what stands between variables is never touched."""
    chance = random.Random(11)
    pieces = [
        "{",
        "}",
        "{{",
        "}}",
        " ",
        "\t",
        "\n",
        "a",
        "b.c",
        "ä",
        "\u00a0",
        "%}",
        "{{ a }}",
        "{{b.c}}",
        ".",
        "1",
    ]
    values = {"a": "{{ b.c }}", "b": {"c": "<&>"}}
    for _ in range(3000):
        text = "".join(chance.choice(pieces) for _ in range(chance.randint(0, 14)))
        data = {"content": text, "syntax": "simple"}
        rendered = render_data(data, values, "p").data["content"]
        assert rendered == slow_render(text, {"a": "{{ b.c }}", "b.c": "<&>"})


def slow_render(text: str, known: dict[str, str]) -> str:
    """The rule, one character after the other: an independent and simple-minded second opinion."""
    out, at = "", 0
    while at < len(text):
        if text.startswith("{{", at):
            end = text.find("}}", at)
            inner = text[at + 2 : end].strip(" \t\r\n") if end >= 0 else ""
            if inner in known:
                out, at = out + known[inner], end + 2
                continue
        out, at = out + text[at], at + 1
    return out


@pytest.mark.parametrize(
    "template",
    [
        "{{ a b }}",
        "{{1a}}",
        "{{ a. b }}",
        "{{a.}}",
        "{{.a}}",
        "{{ä}}",
        "{{\u00a0a}}",
        "{{}}",
        "{#1}",
        "{% if a %}",
    ],
)
def test_what_is_no_variable_is_text(template: str) -> None:
    assert discover({"content": template, "syntax": "simple"}) == []
    assert render_data({"content": template, "syntax": "simple"}, {"a": "!"}, "p").data["content"] == template


def test_placeholders_take_messages_and_parse_nothing() -> None:
    entries = [
        {"role": "system", "content": "Be {{ tone }}"},
        {"type": "placeholder", "name": "history", "required": True},
        {
            "role": "user",
            "content": [{"type": "text", "text": "{{ tone }}"}, {"type": "image", "url": "{{ tone }}"}],
        },
    ]
    data = {"messages": entries, "syntax": "simple"}
    with pytest.raises(MissingVariables) as caught:
        render_data(data, {"tone": "kind"}, "p")
    assert caught.value.variables[0]["name"] == "history"
    with pytest.raises(InvalidVariables):
        render_data(data, {"tone": "kind", "history": ["no message"]}, "p")
    history = [{"role": "user", "content": "{{ tone }}"}]
    rendered = render_data(data, {"tone": "kind", "history": history}, "p").data["messages"]
    assert rendered == [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": "{{ tone }}"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "kind"}, {"type": "image", "url": "{{ tone }}"}],
        },
    ]
    assert rendered[1] is not history[0]
    assert discover({**data, "messages": entries[1:]}) == ["tone", "history"]


def test_values_that_are_no_json() -> None:
    data = {
        "content": "{{ a }}",
        "syntax": "simple",
        "variables": [{"name": "a", "type": "string", "required": True}],
    }
    for value in (object(), b"bytes", float("nan"), {1, 2}):
        with pytest.raises(InvalidVariables) as caught:
            render_data(data, {"a": value}, "p")
        assert caught.value.variables[0]["problem"] == "wrong_type"


@pytest.mark.parametrize(
    ("pattern", "text", "here", "found"),
    [
        ("^x$", "x", True, True), ("^x$", "x\n", True, False), (r"^\d{3}-\w+$", "123-ab", True, True),
        (r"[a-c$]+", "$", True, True), (r"a|b", "zb", True, True), ("(a+)+$", "a", False, True),
        (r"\p{L}", "a", False, True), ("(?i)x", "X", False, True), ("a++", "a", False, True), ("[a&&b]", "a", False, True),
        ("[[:alpha:]]", "a", False, True), (r"(?:ab)c", "abc", True, True), (r"\bx\b", "a x", True, True), (r"x\z", "x", True, True),
    ],
)  # fmt: skip
def test_patterns(pattern: str, text: str, here: bool, found: bool) -> None:
    assert matches_here(pattern, len(text)) is here
    assert found_in(pattern, text) is found
    data = {"content": "{{ a }}", "syntax": "simple", "variables": [{"name": "a", "pattern": pattern}]}
    assert must_ask_server(data, {"a": text}) is not here


def test_patterns_that_could_take_for_ever_are_left_to_the_server() -> None:
    assert matches_here("^[a-z]+$", 1_000_000)
    assert not matches_here("^[a-z]+$", 100_000_000)
    assert matches_here("[0-9]+x", 1_000)
    assert not matches_here(".*.*.*x", 1_000)
    assert matches_here(".*.*.*x", 40)


def test_nearest() -> None:
    assert nearest("tonne", ["topic", "tone"]) == "tone"
    assert nearest("Name", ["name"]) == "name"
    assert nearest("x", ["y"]) is None
    assert nearest("customer", ["tone"]) is None


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XR2_API_KEY", raising=False)
    monkeypatch.delenv("XR2_URL", raising=False)
    with pytest.raises(ConfigurationError, match="XR2_API_KEY"):
        Xr2()
    for wrong in ("ftp://x", "localhost:8000", "http://", "http://u:p@x", "http://x?y", "http://x:port"):
        with pytest.raises(ConfigurationError):
            Xr2("xr2_k", wrong)
    for options in ({"cache_size": 0}, {"max_age": -1}, {"retries": -1}, {"label": ""}, {"read_timeout": 0}):
        with pytest.raises(ConfigurationError):
            Xr2("xr2_k", **options)
    with pytest.raises(ConfigurationError, match="copied whole"):
        Xr2("xr2_k ey")
    monkeypatch.setenv("XR2_API_KEY", " xr2_from_env_0123456789abcdef\n")
    monkeypatch.setenv("XR2_URL", "https://xr2.example.com/base/api/v1/")
    client = Xr2()
    assert client._settings.url == "https://xr2.example.com/base"
    assert client._settings.api_key == "xr2_from_env_0123456789abcdef"
    for shown in (repr(client), repr(client._settings), repr(xr2), repr(AsyncXr2()), str(vars(client))):
        assert "from_env_0123456789" not in shown
    client.close()


def test_arguments(client: Xr2) -> None:
    with pytest.raises(ValueError, match="not both"):
        client.get("a", label="production", version=1)
    for wrong in ({"version": 0}, {"version": True}, {"version": "1"}, {"label": ""}, {"timeout": 0}):
        with pytest.raises(ValueError):
            client.get("a", **wrong)
    for slug in ("", None, 7):
        with pytest.raises(ValueError, match="slug"):
            client.get(slug)  # type: ignore[arg-type]
    for fallback in (7, {"role": "user"}, [1], [{"content": "no role"}]):
        with pytest.raises(TypeError, match="fallback"):
            client.get("a", fallback=fallback)  # type: ignore[arg-type]


def test_errors_travel_between_processes() -> None:
    error = MissingVariables(
        "m",
        request_id="r",
        details={"variables": [{"name": "a", "problem": "missing", "expected": "string"}]},
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is MissingVariables
    assert (str(again), again.details, again.code) == (str(error), error.details, "MISSING_VARIABLES")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"error":{"code":"NOT_FOUND","message":"no"}}', NotFound), (404, b"<html>", ProtocolError),
        (401, b'{"error":{"code":"UNAUTHENTICATED"}}', AuthError), (429, b"", RateLimited), (503, b"<html>", ServerError),
        (302, b"", ProtocolError), (422, b'{"error":{"code":"MISSING_VARIABLES","details":{"variables":[]}}}', MissingVariables),
        (400, b"[[[[", ProtocolError), (500, b'{"error":null}', ServerError), (404, b"[" * 100_000, ProtocolError),
    ],
)  # fmt: skip
def test_answers_that_are_errors(status: int, body: bytes, kind: type[Exception]) -> None:
    assert type(read_error(status, {"retry-after": "soon", "location": "https://x"}, body)) is kind


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"data":null}', b'{"data":{}}', b'{"data":"x"}', b"\xff", b"[" * 100_000],
)
def test_answers_that_make_no_sense(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_delivery(200, {}, body)


def test_a_fallbacks_values_are_never_refused() -> None:
    prompt = Prompt(fallback_data("{{ a }} {{ b.c }}"), key=Key("s", "production"), source="fallback")
    with pytest.raises(NotRendered):
        prompt.to_openai()
    done = prompt.render(a=1.0, b={"c": [1]})
    assert (done.text, done.rendered, done.version) == ("1 [1]", True, None)
    assert prompt.render().missing == ["a", "b"]
    assert done.render(a=2).text == "1 [1]"
    assert Prompt(fallback_data("plain"), key=Key("s"), source="fallback").rendered


def test_unknown_values_warn() -> None:
    prompt = Prompt(fallback_data("{{ tone }}"), key=Key("s"), source="api").render({"tone": "x"}, tonne="y")
    assert prompt.warnings[0]["nearest"] == "tone"
    assert "Did you mean `tone`?" in prompt.warnings[0]["message"]


def test_a_chat_prompt_has_no_text() -> None:
    prompt = Prompt(fallback_data([{"role": "user", "content": "Hi"}]), key=Key("s"), source="api")
    assert prompt.content is None
    assert str(prompt) == "[user]\nHi"
    with pytest.raises(TypeError, match="messages"):
        _ = prompt.text


def test_the_package_itself_is_a_client() -> None:
    assert package.get == xr2.get
    client = xr2("xr2_key_0123456789abcdef")
    assert isinstance(client, Xr2)
    client.close()
    assert "not made yet" in repr(xr2)
