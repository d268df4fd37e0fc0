"""x"""

from typing import Any


class ProviderRequest(dict[str, Any]):
    warnings: list[Any]


def to_openai(d: Any) -> ProviderRequest:
    return ProviderRequest()


def to_anthropic(d: Any) -> ProviderRequest:
    return ProviderRequest()


def to_google(d: Any) -> ProviderRequest:
    return ProviderRequest()
