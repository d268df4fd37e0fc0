"""A rendered prompt as the request body of a provider.

``config`` is free JSON in the words of OpenAI's chat API; other providers get the same meaning in their own
words. What cannot be carried over is left out and told in ``warnings``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import anthropic, google, openai
from .common import ProviderRequest, finish, model_of, read_messages
from .notes import Notes

__all__ = ["ProviderRequest", "to_anthropic", "to_google", "to_openai"]


def to_openai(data: Mapping[str, Any]) -> ProviderRequest:
    """The body for OpenAI's chat completions, and what is compatible with them."""
    notes, config, model = _begin(data, "openai")
    return finish(openai.body(read_messages(data), config, model, notes), notes, model)


def to_anthropic(data: Mapping[str, Any]) -> ProviderRequest:
    """The body for Anthropic's messages."""
    notes, config, model = _begin(data, "anthropic")
    return finish(anthropic.body(read_messages(data), config, model, notes), notes, model)


def to_google(data: Mapping[str, Any]) -> ProviderRequest:
    """The body for Google's ``generateContent``; the model goes into the address and stands in ``model``."""
    notes, config, model = _begin(data, "google")
    return finish(google.body(read_messages(data), config, notes), notes, model)


def _begin(data: Mapping[str, Any], provider: str) -> tuple[Notes, dict[str, Any], str | None]:
    notes = Notes(provider)
    config = data.get("config")
    config = config if isinstance(config, dict) else {}
    model = model_of(config)
    notes.check_model(model)
    return notes, config, model
