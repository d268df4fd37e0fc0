"""What could not be carried over to a provider, or was decided for the author."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TITLES = {"openai": "OpenAI", "anthropic": "Anthropic", "google": "Google"}
MODELS = {
    "openai": ("gpt-", "o1", "o3", "o4", "chatgpt-"),
    "anthropic": ("claude-",),
    "google": ("gemini-",),
}


class Notes:
    """Warnings on the way to one provider, each told once."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.title = TITLES[provider]
        self.warnings: list[dict[str, str]] = []

    def add(self, code: str, message: str) -> None:
        """Tell something."""
        warning = {"code": code, "message": message}
        if warning not in self.warnings:
            self.warnings.append(warning)

    def left_out(self, name: str) -> None:
        """Tell of a setting that the provider has nothing like."""
        self.add("SETTING_LEFT_OUT", f"`{name}` was left out: {self.title} has nothing like it.")

    def check_model(self, model: str | None) -> None:
        """Tell of a model that is missing, or somebody else's."""
        if model is None:
            if self.provider != "google":
                self.add("MODEL_MISSING", "No model is set; the request needs one before it is sent.")
            return
        owner = next((name for name, prefixes in MODELS.items() if model.startswith(prefixes)), self.provider)
        if owner != self.provider:
            self.add("MODEL_OF_OTHER_PROVIDER", f"`{model}` is not a model of {self.title}.")

    def check_message(self, message: Mapping[str, Any]) -> None:
        """Tell what a message says beside its content, where the provider cannot hear it."""
        if message.get("name") is not None:
            self.add("NAME_LEFT_OUT", f"The name of a message was left out: {self.title} has no names.")
        if message.get("role") == "developer":
            told = f"A developer message became a system message: {self.title} knows no developer."
            self.add("ROLE_CHANGED", told)
