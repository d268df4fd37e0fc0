"""What a client is told when it is made, checked once, with kind words for what cannot work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ._version import __version__
from .errors import ConfigurationError

DEFAULT_URL = "http://localhost:8000"
API_PATH = "/api/v1"
USER_AGENT = f"xr2-python/{__version__}"


@dataclass(frozen=True)
class Settings:
    """A client's settings. The key stays out of ``repr``."""

    api_key: str
    url: str
    label: str = "production"
    cache_size: int = 1000
    max_age: float = 1.0
    connect_timeout: float = 2.0
    read_timeout: float = 5.0
    retries: int = 2
    stream: bool = True
    telemetry: bool = True
    snapshot: str | None = None
    bundle_limit: int = 10_000
    silence_limit: float = 900.0

    def __repr__(self) -> str:
        return f"url={self.url!r}, api_key={masked(self.api_key)!r}, label={self.label!r}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {
            "Authorization": f"Bearer {self.api_key}",
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
        }


def settle(
    *,
    api_key: str | None,
    url: str | None,
    label: str,
    cache_size: int,
    max_age: float,
    connect_timeout: float,
    read_timeout: float,
    retries: int,
    stream: bool,
    telemetry: bool,
    snapshot: str | os.PathLike[str] | None,
    bundle_limit: int,
) -> Settings:
    """Fill in the environment's part and refuse what cannot work."""
    if not isinstance(label, str) or not label:
        raise ConfigurationError(f"label must be the name of a label, not {label!r}")
    _at_least("cache_size", cache_size, 1)
    _at_least("max_age", max_age, 0)
    _at_least("retries", retries, 0)
    _at_least("bundle_limit", bundle_limit, 0)
    for name, seconds in (("connect_timeout", connect_timeout), ("read_timeout", read_timeout)):
        if not seconds > 0:
            raise ConfigurationError(f"{name} must be more than 0 seconds, not {seconds!r}")
    return Settings(
        api_key=_key(api_key),
        url=_url(url),
        label=label,
        cache_size=cache_size,
        max_age=max_age,
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries=retries,
        stream=stream,
        telemetry=telemetry,
        snapshot=_path(snapshot),
        bundle_limit=bundle_limit,
    )


def masked(api_key: str) -> str:
    """Enough of a key to recognise it, never enough to use it."""
    return f"{api_key[:4]}…{api_key[-4:]}" if len(api_key) >= 24 else "…"


def _at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        raise ConfigurationError(f"{name} must be at least {least}, not {value!r}")


def _key(given: str | None) -> str:
    key = (given if given is not None else os.environ.get("XR2_API_KEY", "")).strip()
    if not key:
        raise ConfigurationError("no API key: pass api_key=… or set XR2_API_KEY (made under “API keys” in xr2)")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError("the API key has characters no key has; was it copied whole?")
    return key


def _path(given: str | os.PathLike[str] | None) -> str | None:
    path = os.fspath(given) if given is not None else os.environ.get("XR2_SNAPSHOT", "").strip()
    return os.path.abspath(path) if path else None


def _url(given: str | None) -> str:
    url = (given if given is not None else os.environ.get("XR2_URL", "")).strip() or DEFAULT_URL
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"the server's address cannot be read: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("the server's address must look like https://xr2.example.com")
    if parts.username or parts.password:
        raise ConfigurationError("leave user and password out of the server's address; xr2 uses api_key")
    if parts.query or parts.fragment:
        raise ConfigurationError("the server's address takes no query and no fragment")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix(API_PATH).rstrip("/")
    return urlunsplit((parts.scheme, f"{host}:{port}" if port else host, path, "", ""))
