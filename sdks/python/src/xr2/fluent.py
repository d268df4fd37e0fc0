"""The fluent form: describe what is wanted, and look at it when it is needed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ._wire import is_outage
from .errors import AuthError, NotFound, Xr2Error
from .prompt import AsyncPrompt, Fallback, Message, Prompt, check_fallback

if TYPE_CHECKING:
    from .aio import AsyncXr2
    from .client import Xr2

R = TypeVar("R", bound="_Wanted")


@dataclass(frozen=True)
class _Wanted:
    """What to get and how. Every method gives a new object, so a half-made request can be shared."""

    client: Any
    slug: str
    values: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    fallback_slug: str | None = None
    fallback_literal: Fallback | None = None

    def with_variables(self: R, values: Mapping[str, Any] | None = None, /, **more: Any) -> R:
        """Render with these values (added to those given before)."""
        return replace(self, values={**(self.values or {}), **(values or {}), **more})

    def optimized_for(self: R, model: str) -> R:
        """Say which model the text is meant for."""
        return self._with(optimized_for=model)

    def label(self: R, label: str) -> R:
        """Take what this label points at instead of ``production``."""
        return self._with(label=label)

    def version(self: R, version: int) -> R:
        """Take exactly this version."""
        return self._with(version=version)

    def for_user(self: R, user_id: str) -> R:
        """Get what this user gets, where an A/B test runs."""
        return self._with(user_id=user_id)

    def fallback(self: R, slug: str | None = None, *, text: str | None = None, messages: Fallback | None = None) -> R:
        """Name another prompt to take when this one cannot be had; ``text`` or ``messages`` is the last resort."""
        if text is not None and messages is not None:
            raise ValueError("give text or messages, not both")
        literal = text if text is not None else messages
        check_fallback(literal)
        return replace(
            self,
            fallback_slug=slug if slug is not None else self.fallback_slug,
            fallback_literal=literal if literal is not None else self.fallback_literal,
        )

    def _with(self: R, **options: Any) -> R:
        return replace(self, options={**self.options, **options})

    def _attempts(self) -> list[tuple[str, dict[str, Any]]]:
        """The slugs to try, in order, each with its arguments."""
        options = dict(self.options)
        literal = {**options, "fallback": self.fallback_literal}
        if self.fallback_slug is None:
            return [(self.slug, literal)]
        # A version number is the first prompt's own; the other one is taken at its label.
        literal.pop("version", None)
        return [(self.slug, options), (self.fallback_slug, literal)]


class PromptRequest(_Wanted):
    """A prompt that is fetched when it is looked at; each look gives the present text."""

    client: Xr2

    def get(self) -> Prompt:
        """The prompt, rendered if values were given."""
        first_error: Xr2Error | None = None
        for slug, options in self._attempts():
            try:
                prompt = self.client.get(slug, **options)
            except Xr2Error as error:
                if not _is_no_delivery(error):
                    raise
                first_error = first_error or error
                continue
            return prompt if self.values is None else prompt.render(self.values)
        assert first_error is not None  # noqa: S101 - there is at least one attempt
        raise first_error

    @property
    def text(self) -> str:
        """The text."""
        return self.get().text

    @property
    def messages(self) -> list[Message] | None:
        """The messages of a chat prompt."""
        return self.get().messages

    def __str__(self) -> str:
        return str(self.get())

    def __repr__(self) -> str:
        return f"<PromptRequest {self.slug!r}>"


class AsyncPromptRequest(_Wanted):
    """The same for asyncio: ``prompt = await client.get_prompt("welcome").with_variables({...})``."""

    client: AsyncXr2

    async def get(self) -> AsyncPrompt:
        """The prompt, rendered if values were given."""
        first_error: Xr2Error | None = None
        for slug, options in self._attempts():
            try:
                prompt = await self.client.get(slug, **options)
            except Xr2Error as error:
                if not _is_no_delivery(error):
                    raise
                first_error = first_error or error
                continue
            return prompt if self.values is None else await prompt.render(self.values)
        assert first_error is not None  # noqa: S101 - there is at least one attempt
        raise first_error

    def __await__(self) -> Generator[Any, None, AsyncPrompt]:
        return self.get().__await__()

    def __repr__(self) -> str:
        return f"<AsyncPromptRequest {self.slug!r}>"


def _is_no_delivery(error: Xr2Error) -> bool:
    """Whether another prompt may stand in: the first cannot be had. A wrong value is no such reason."""
    return isinstance(error, NotFound | AuthError) or is_outage(error)
