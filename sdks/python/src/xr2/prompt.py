"""The prompt that callers hold: what was delivered, where it came from, and rendering it."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict

from ._program import Program
from ._providers import ProviderRequest, to_anthropic, to_google, to_openai
from ._snapshot import Snapshot
from ._template import Rendered, discover
from ._wire import Answer, Key, is_outage
from .errors import AuthError, NotRendered, Xr2Error

Source = Literal["stream", "cache", "api", "disk", "fallback"]
"""Where a prompt came from.

``api``: asked of the server during this call · ``stream``: from memory, kept current by the open stream ·
``cache``: from memory, confirmed less than a second ago, or the last good copy (then ``stale`` is true) ·
``disk``: from the snapshot of an earlier run, while the server is away (``stale`` is true) ·
``fallback``: the fallback given in the call.
"""
Message = dict[str, Any]
"""A chat message: ``role``, ``content`` (text or parts) and what else the role needs."""
Fallback = str | Sequence[Mapping[str, Any]]
"""What to go on with when the prompt cannot be had: a text, or chat messages."""
RenderCall = Callable[[str, Mapping[str, Any]], Answer]
AsyncRenderCall = Callable[[str, Mapping[str, Any]], Awaitable[Answer]]


class Variable(TypedDict, total=False):
    """A declared variable of a prompt."""

    name: str
    type: str
    required: bool
    default: Any
    enum: list[Any]
    min: float
    max: float
    min_length: int
    max_length: int
    pattern: str
    items: Any
    description: str
    sample: Any


class PromptWarning(TypedDict, total=False):
    """Something worth knowing that stopped nothing."""

    code: str
    message: str
    variable: str
    nearest: str


class BasePrompt:
    """What :class:`Prompt` and :class:`AsyncPrompt` share. Each caller holds an object of their own."""

    __slots__ = ("_cache", "_call", "_cause", "_data", "_fallback", "_key", "_meta", "_origin", "_source", "_stale")

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        key: Key,
        source: Source,
        meta: Mapping[str, Any] | None = None,
        stale: bool = False,
        cause: Xr2Error | None = None,
        fallback: Fallback | None = None,
        call: Any = None,
        origin: Snapshot | None = None,
    ) -> None:
        self._data = data
        self._key = key
        self._source: Source = source
        self._meta = meta
        self._stale = stale
        self._cause = cause
        self._fallback = fallback
        self._call = call
        self._origin = origin
        self._cache: dict[str, Any] | None = None

    def _copy(self, name: str, default: Any) -> Any:
        """A field as the caller's own: changing it changes nobody else's prompt."""
        cache = self._cache
        if cache is None:
            cache = self._cache = {}
        if name not in cache:
            found = self._data.get(name)
            cache[name] = copy.deepcopy(default if found is None else found)
        return cache[name]

    @property
    def slug(self) -> str:
        """The prompt's slug; the present one, when it was asked for by a former one."""
        return str(self._data.get("slug") or self._key.slug)

    @property
    def id(self) -> str | None:
        """The prompt's id; none for a fallback."""
        return self._data.get("id")

    @property
    def title(self) -> str | None:
        """The title shown in the dashboard."""
        return self._data.get("title")

    @property
    def type(self) -> Literal["text", "chat"]:
        """``text`` (then ``content`` is set) or ``chat`` (then ``messages`` is set)."""
        return "chat" if self._data.get("messages") is not None else "text"

    @property
    def syntax(self) -> str:
        """``simple``, ``jinja`` or ``none``."""
        return str(self._data.get("syntax", "none"))

    @property
    def content(self) -> str | None:
        """The text of a text prompt; none for chat."""
        return self._data.get("content")

    @property
    def text(self) -> str:
        """The text of a text prompt; asking a chat prompt for it is an error."""
        content = self.content
        if content is None:
            raise TypeError(f"{self.slug!r} is a chat prompt: use .messages")
        return content

    @property
    def messages(self) -> list[Message] | None:
        """The messages of a chat prompt; none for text."""
        return self._copy("messages", []) if self.type == "chat" else None

    @property
    def rendered(self) -> bool:
        """Whether variables have been filled in (always true where there are none)."""
        return bool(self._data.get("rendered"))

    @property
    def missing(self) -> list[str]:
        """Optional variables that had neither a value nor a default when this was rendered."""
        return self._copy("missing", [])  # type: ignore[no-any-return]

    @property
    def variables(self) -> list[Variable]:
        """The declared variables, in order."""
        return self._copy("variables", [])  # type: ignore[no-any-return]

    @property
    def config(self) -> dict[str, Any]:
        """The model configuration kept with the version."""
        return self._copy("config", {})  # type: ignore[no-any-return]

    @property
    def version(self) -> int | None:
        """The version's number; none for a fallback."""
        return self._data.get("version")

    @property
    def label(self) -> str | None:
        """The label it was asked for by; none when asked for by version."""
        label: str | None = self._data.get("label", self._key.label)
        return label

    @property
    def variant(self) -> str | None:
        """The A/B test's variant this user got, if a test is running."""
        test = self._data.get("ab_test")
        variant: str | None = test.get("variant") if isinstance(test, dict) else None
        return variant

    @property
    def ab_test(self) -> dict[str, Any] | None:
        """The A/B test, if one is running."""
        test: dict[str, Any] | None = self._copy("ab_test", None)
        return test

    @property
    def tags(self) -> list[str]:
        """The prompt's tags."""
        return self._copy("tags", [])  # type: ignore[no-any-return]

    @property
    def includes(self) -> list[dict[str, Any]]:
        """The snippets that went into the text: slug and version of each."""
        return self._copy("includes", [])  # type: ignore[no-any-return]

    @property
    def updated_at(self) -> datetime | None:
        """When this version was made."""
        told = self._data.get("updated_at")
        if not isinstance(told, str):
            return None
        try:
            return datetime.fromisoformat(told.replace("Z", "+00:00"))
        except ValueError:
            return None

    @property
    def source(self) -> Source:
        """Where this prompt came from: stream, cache, api, disk or fallback."""
        return self._source

    @property
    def stale(self) -> bool:
        """True when the server could not confirm this copy within a second; it may be out of date."""
        return self._stale

    @property
    def is_fallback(self) -> bool:
        """Whether this is the fallback given in the call."""
        return self._source == "fallback"

    @property
    def cause(self) -> Xr2Error | None:
        """What stood in the way, when this is a fallback."""
        return self._cause

    @property
    def warnings(self) -> list[PromptWarning]:
        """What the server or the renderer found worth saying, for example about unknown variables."""
        found = self._meta.get("warnings") if self._meta else None
        return copy.deepcopy(found) if isinstance(found, list) else []

    @property
    def data(self) -> dict[str, Any]:
        """Everything that was delivered, as JSON, including fields this version does not know."""
        return copy.deepcopy(dict(self._data))

    def __str__(self) -> str:
        if self.type == "text":
            return self.content or ""
        return "\n\n".join(f"[{m.get('role')}]\n{_plain(m.get('content'))}" for m in self.messages or [])

    def __repr__(self) -> str:
        stale = " stale" if self._stale else ""
        return f"<{type(self).__name__} {self._key} version={self.version} source={self._source}{stale}>"

    def to_openai(self) -> ProviderRequest:
        """The request body for OpenAI's chat completions: messages and the settings kept with the prompt."""
        return to_openai(self._ready())

    def to_anthropic(self) -> ProviderRequest:
        """The request body for Anthropic's messages API."""
        return to_anthropic(self._ready())

    def to_google(self) -> ProviderRequest:
        """The request body for Google's generateContent."""
        return to_google(self._ready())

    def _ready(self) -> Mapping[str, Any]:
        if not self.rendered:
            raise NotRendered(f"{self.slug!r} has variables: call .render(…) before asking for a provider's request")
        return self._data

    def _locally(self, values: Mapping[str, Any]) -> Rendered | None:
        """Render here, or None when only the server can."""
        origin = self._origin
        program = Program(self._data) if origin is None else origin.program
        if program.must_ask_server(values):
            return None
        return program.render(values, self._data.get("slug") or self._key.slug)

    def _render_bodies(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What to ask for, in turn: exactly the version this object holds, whatever has been published since.

        A key confined to some labels may no longer see that version; then what the label points at now.
        """
        by_version = {"version": self.version} if self.version is not None else None
        by_label = {"label": self._key.label} if self._key.label is not None else None
        rest = self._render_rest(values)
        return [{**rest, **which} for which in (by_version, by_label) if which is not None] or [rest]

    def _render_rest(self, values: Mapping[str, Any]) -> dict[str, Any]:
        key = self._key
        body: dict[str, Any] = {"variables": dict(values)}
        if key.user_id is not None:
            body["user_id"] = key.user_id
        if key.optimized_for is not None:
            body["optimized_for"] = key.optimized_for
        return body

    def _of_answer(self, answer: Answer) -> tuple[dict[str, Any], dict[str, Any]]:
        """The rendered prompt, with what only a delivery by label can say (label, test) kept."""
        data = dict(answer.data or {})
        for name in ("label", "ab_test"):
            if self._data.get(name) is not None:
                data[name] = self._data[name]
        data["rendered"] = True
        return data, answer.meta


class Prompt(BasePrompt):
    """A prompt from :class:`xr2.Xr2`."""

    __slots__ = ()
    _call: RenderCall | None

    def render(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> Prompt:
        """A new prompt with the variables filled in.

        Raises :class:`MissingVariables` or :class:`InvalidVariables`, which tell all problems at once.
        Values nobody declared are ignored and named in ``warnings``. Simple templates are rendered here;
        jinja templates by the server, at the version this object holds.
        """
        filled = {**values, **more} if values else more
        here = self._locally(filled)
        if here is not None:
            return self._with(here.data, {"warnings": here.warnings} if here.warnings else None)
        if self._call is None:
            raise NotRendered(f"{self.slug!r} can only be rendered by the server, and this prompt has no client")
        try:
            answer = self._ask(self._call, self._render_bodies(filled))
        except Xr2Error as error:
            if self._fallback is None or not is_outage(error):
                raise
            stand_in: Prompt = fallback_prompt(Prompt, self._fallback, self._key, error)
            return stand_in.render(filled)
        return self._with(*self._of_answer(answer))

    def _ask(self, call: RenderCall, bodies: list[dict[str, Any]]) -> Answer:
        for body in bodies[:-1]:
            try:
                return call(self.id or self.slug, body)
            except AuthError as error:
                if error.status != 403:
                    raise
        return call(self.id or self.slug, bodies[-1])

    def _with(self, data: Mapping[str, Any], meta: Mapping[str, Any] | None) -> Prompt:
        return Prompt(
            data, call=self._call, key=self._key, source=self._source, meta=meta,
            stale=self._stale, cause=self._cause, fallback=self._fallback,
        )  # fmt: skip


class AsyncPrompt(BasePrompt):
    """A prompt from :class:`xr2.AsyncXr2`; rendering is a coroutine, since jinja needs the server."""

    __slots__ = ()
    _call: AsyncRenderCall | None

    async def render(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> AsyncPrompt:
        """As :meth:`Prompt.render`."""
        filled = {**values, **more} if values else more
        here = self._locally(filled)
        if here is not None:
            return self._with(here.data, {"warnings": here.warnings} if here.warnings else None)
        if self._call is None:
            raise NotRendered(f"{self.slug!r} can only be rendered by the server, and this prompt has no client")
        try:
            answer = await self._ask(self._call, self._render_bodies(filled))
        except Xr2Error as error:
            if self._fallback is None or not is_outage(error):
                raise
            stand_in: AsyncPrompt = fallback_prompt(AsyncPrompt, self._fallback, self._key, error)
            return await stand_in.render(filled)
        return self._with(*self._of_answer(answer))

    async def _ask(self, call: AsyncRenderCall, bodies: list[dict[str, Any]]) -> Answer:
        for body in bodies[:-1]:
            try:
                return await call(self.id or self.slug, body)
            except AuthError as error:
                if error.status != 403:
                    raise
        return await call(self.id or self.slug, bodies[-1])

    def _with(self, data: Mapping[str, Any], meta: Mapping[str, Any] | None) -> AsyncPrompt:
        return AsyncPrompt(
            data, call=self._call, key=self._key, source=self._source, meta=meta,
            stale=self._stale, cause=self._cause, fallback=self._fallback,
        )  # fmt: skip


def fallback_data(fallback: Fallback) -> dict[str, Any]:
    """A delivery made of a fallback: simple syntax, every variable optional and of any type."""
    data: dict[str, Any] = {"syntax": "simple", "version": None}
    if isinstance(fallback, str):
        data |= {"type": "text", "content": fallback}
    else:
        data |= {"type": "chat", "messages": [dict(message) for message in fallback]}
    names = discover(data)
    data["variables"] = [{"name": name, "type": "any", "required": False} for name in names]
    data["rendered"] = not names
    return data


def fallback_prompt(kind: Any, fallback: Fallback, key: Key, cause: Xr2Error) -> Any:
    """The fallback as a prompt of the given kind."""
    return kind(fallback_data(fallback), key=key, source="fallback", cause=cause)


def check_fallback(fallback: object) -> None:
    """Refuse, at once and not in the next outage, what could never be a prompt."""
    if fallback is None or isinstance(fallback, str):
        return
    if isinstance(fallback, Sequence) and all(
        isinstance(message, Mapping) and isinstance(message.get("role"), str) for message in fallback
    ):
        return
    raise TypeError("fallback must be a text or a list of chat messages ({'role': …, 'content': …})")


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") or f"[{part.get('type')}]" for part in content if isinstance(part, dict)]
    return "\n".join(texts)
