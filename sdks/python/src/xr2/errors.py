"""Everything that can go wrong, as one tree of exceptions under :class:`Xr2Error`.

Catch :class:`Xr2Error` to catch them all. What the server refused carries its ``code``, ``status``,
``details`` and the ``request_id`` to quote to whoever runs the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class VariableProblem(TypedDict):
    """One value that is missing or does not fit its declaration."""

    name: str
    problem: str
    expected: str


class Xr2Error(Exception):
    """The root of every error this package raises on purpose."""

    code = "ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status
        self.request_id = request_id
        self.details: dict[str, Any] = dict(details or {})
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} (request {self.request_id})" if self.request_id else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments are lost by the default, and errors do cross process boundaries.
        return (_restore, (type(self), self.message, self.__dict__.copy()))


def _restore(kind: type[Xr2Error], message: str, state: dict[str, Any]) -> Xr2Error:
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class ConfigurationError(Xr2Error, ValueError):
    """The client was set up in a way that cannot work: no key, a wrong address."""

    code = "CONFIGURATION"


class ClientClosed(Xr2Error, RuntimeError):
    """The client was used after ``close()``."""

    code = "CLIENT_CLOSED"


class ConnectionFailed(Xr2Error):
    """The server could not be reached, or the connection broke."""

    code = "CONNECTION_FAILED"


class RequestTimeout(ConnectionFailed):
    """The server did not answer in time."""

    code = "TIMEOUT"


class ProtocolError(Xr2Error):
    """Something answered, but not an xr2 server: a proxy's page, a redirect, broken JSON."""

    code = "PROTOCOL"


class ApiError(Xr2Error):
    """The server answered with an error."""


class BadRequest(ApiError):
    """The request makes no sense to the server (400, 405, 413, 415, 421)."""

    code = "BAD_REQUEST"


class AuthError(ApiError):
    """The key is unknown, expired or revoked (401), or has not the right to do this (403)."""

    code = "UNAUTHENTICATED"


class NotFound(ApiError):
    """There is no such prompt, label or version for this key (404)."""

    code = "NOT_FOUND"


class Conflict(ApiError):
    """The request clashes with the present state (409, 412)."""

    code = "CONFLICT"


class ValidationFailed(ApiError):
    """The request is well-formed but not acceptable (422)."""

    code = "VALIDATION_ERROR"


class RateLimited(ApiError):
    """Too many requests (429); ``retry_after`` says how many seconds to wait, if the server said so."""

    code = "RATE_LIMITED"


class ServerError(ApiError):
    """The server failed (5xx)."""

    code = "INTERNAL"


class RenderError(Xr2Error):
    """The prompt could not be rendered with these values."""

    code = "RENDER"

    @property
    def variables(self) -> list[VariableProblem]:
        """Every problem with the values, in the order of the prompt's declaration."""
        found = self.details.get("variables")
        return list(found) if isinstance(found, list) else []


class MissingVariables(RenderError):
    """At least one required variable has no value; ``variables`` names all problems at once."""

    code = "MISSING_VARIABLES"


class InvalidVariables(RenderError):
    """At least one value does not fit its declaration; ``variables`` names all problems at once."""

    code = "INVALID_VARIABLES"


class TemplateError(RenderError):
    """The template itself failed; ``details`` has line and column."""

    code = "TEMPLATE_ERROR"


class NotRendered(RenderError, ValueError):
    """A provider request was asked of a prompt whose variables have not been filled in yet."""

    code = "NOT_RENDERED"


def variable_error(slug: str, problems: Sequence[VariableProblem]) -> RenderError:
    """The error for a list of problems: missing wins the name, all of them are told."""
    missing = any(problem["problem"] == "missing" for problem in problems)
    told = "; ".join(_describe(problem) for problem in problems)
    kind = MissingVariables if missing else InvalidVariables
    return kind(f"cannot render {slug!r}: {told}", details={"variables": list(problems)})


def _describe(problem: VariableProblem) -> str:
    name, expected = problem["name"], problem["expected"]
    if problem["problem"] == "missing":
        return f"{name!r} is missing (expected {expected})"
    return f"{name!r} is not acceptable: {problem['problem'].replace('_', ' ')} (expected {expected})"


_BY_CODE: dict[str, type[Xr2Error]] = {
    "MISSING_VARIABLES": MissingVariables,
    "INVALID_VARIABLES": InvalidVariables,
    "TEMPLATE_ERROR": TemplateError,
}
_BY_STATUS: dict[int, type[Xr2Error]] = {
    401: AuthError,
    403: AuthError,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    422: ValidationFailed,
    429: RateLimited,
}


def error_class(status: int, code: str | None) -> type[Xr2Error]:
    """The exception that stands for an answer of the server."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return ServerError if status >= 500 else BadRequest
