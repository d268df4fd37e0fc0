"""The Python client of xr2, the self-hosted headless CMS for AI prompts.

>>> from xr2 import xr2
>>> prompt = xr2.get("welcome-message")          # XR2_API_KEY and XR2_URL from the environment
>>> prompt.render(name="Ada").text               # doctest: +SKIP
"""

from ._default import xr2
from ._version import __version__
from .aio import AsyncXr2
from .client import Xr2
from .errors import (
    ApiError,
    AuthError,
    BadRequest,
    ClientClosed,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    InvalidVariables,
    MissingVariables,
    NotFound,
    NotRendered,
    ProtocolError,
    RateLimited,
    RenderError,
    RequestTimeout,
    ServerError,
    TemplateError,
    ValidationFailed,
    VariableProblem,
    Xr2Error,
)
from .fluent import AsyncPromptRequest, PromptRequest
from .prompt import AsyncPrompt, Fallback, Message, Prompt, PromptWarning, Source, Variable

get = xr2.get
get_many = xr2.get_many
get_prompt = xr2.get_prompt
watch = xr2.watch
configure = xr2.configure

__all__ = [
    "ApiError",
    "AsyncPrompt",
    "AsyncPromptRequest",
    "AsyncXr2",
    "AuthError",
    "BadRequest",
    "ClientClosed",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "Fallback",
    "InvalidVariables",
    "Message",
    "MissingVariables",
    "NotFound",
    "NotRendered",
    "Prompt",
    "PromptRequest",
    "PromptWarning",
    "ProtocolError",
    "RateLimited",
    "RenderError",
    "RequestTimeout",
    "ServerError",
    "Source",
    "TemplateError",
    "ValidationFailed",
    "Variable",
    "VariableProblem",
    "Xr2",
    "Xr2Error",
    "__version__",
    "configure",
    "get",
    "get_many",
    "get_prompt",
    "watch",
    "xr2",
]
