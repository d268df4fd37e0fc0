"""Every case that the server and all SDKs must agree on (``sdks/conformance``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xr2 import Prompt
from xr2._template import discover, must_ask_server
from xr2._values import to_text
from xr2._wire import Answer, Key
from xr2.errors import RenderError
from xr2.prompt import BasePrompt

CASES = Path(__file__).resolve().parents[2] / "conformance"
Case = dict[str, Any]


def cases(name: str) -> list[Any]:
    """The cases of a file. There must be some: a suite that finds nothing to run proves nothing."""
    found: list[Case] = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    assert found, f"{name}.json holds no cases"
    return [pytest.param(case, id=case["name"]) for case in found]


def prompt_of(case: Case, call: Any = None, **more: Any) -> Prompt:
    fields = ("syntax", "type", "content", "messages", "variables", "config")
    data: Case = {"slug": "case", "version": 1, **{name: case[name] for name in fields if name in case}, **more}
    return Prompt(data, call=call, key=Key("case", "production"), source="api")


def told(warning: Any) -> tuple[Any, ...]:
    return warning["code"], warning["variable"], warning.get("nearest")


@pytest.mark.parametrize("case", cases("values"))
def test_values(case: Case) -> None:
    value = json.loads(case["json"]) if "json" in case else case["value"]
    assert to_text(value) == case["text"]


@pytest.mark.parametrize("case", cases("simple"))
def test_simple(case: Case) -> None:
    prompt = prompt_of(case)
    assert not must_ask_server(prompt._data, case["values"])
    if "error" in case:
        with pytest.raises(RenderError) as caught:
            prompt.render(case["values"])
        assert caught.value.code == case["error"]["code"]
        assert caught.value.variables == case["error"]["variables"]
        return
    expect = case["expect"]
    done = prompt.render(case["values"])
    assert (done.content, done.messages) == (expect.get("content"), expect.get("messages"))
    assert done.missing == expect["missing"]
    if "warnings" in expect:
        assert [told(warning) for warning in done.warnings] == [told(warning) for warning in expect["warnings"]]
    assert prompt.content == case.get("content"), "the template itself stays as it is"


@pytest.mark.parametrize("case", cases("jinja"))
def test_jinja_goes_to_the_server(case: Case) -> None:
    asked: list[Any] = []

    def call(prompt: str, body: Any) -> Answer:
        asked.append((prompt, body))
        return Answer({"content": "from the server"}, {}, None, None, True, False)

    done = prompt_of({**case, "syntax": "jinja"}, call).render(case["values"])
    assert done.content == "from the server"
    assert asked == [("case", {"variables": case["values"], "version": 1})]


@pytest.mark.parametrize("case", [case for case in cases("discover") if case.values[0]["expect"]["syntax"] == "simple"])
def test_discover(case: Case) -> None:
    assert discover({**case, "syntax": "simple"}) == case["expect"]["variables"]


@pytest.mark.parametrize("case", cases("providers"))
def test_providers(case: Case) -> None:
    prompt: BasePrompt = prompt_of(case, rendered=True)
    before = json.dumps(prompt.data)
    request = getattr(prompt, f"to_{case['format']}")()
    assert request == case["expect"]["request"]
    assert [warning["code"] for warning in request.warnings] == case["expect"]["warnings"]
    assert json.dumps(prompt.data) == before
    json.dumps(request)
