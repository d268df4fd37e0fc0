"""Prompt, version, label and variant on the caller's OpenTelemetry span: those of the last prompt it got.

OpenTelemetry is no dependency and is never imported here: there can only be a current span where the program has
imported it itself.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

NO_VERSION = 0
"""Versions are counted from 1."""
_modules = sys.modules


def mark_span(data: Mapping[str, Any], slug: str, label: str | None) -> None:
    """Say on the current span, if there is one, which prompt is in use. Never fails."""
    trace = _modules.get("opentelemetry.trace")
    if trace is None:
        return
    try:
        span = trace.get_current_span()
        if not span.is_recording():
            return
        test = data.get("ab_test")
        earlier = getattr(span, "attributes", None)
        for name, value, none in (
            ("xr2.prompt.slug", data.get("slug") or slug, ""),
            ("xr2.prompt.version", data.get("version"), NO_VERSION),
            ("xr2.prompt.label", data.get("label", label), ""),
            ("xr2.prompt.variant", test.get("variant") if isinstance(test, Mapping) else None, ""),
        ):
            if value is not None:
                span.set_attribute(name, value)
            elif earlier is None or name in earlier:
                # What an earlier prompt left there cannot be removed, only said not to be.
                span.set_attribute(name, none)
    except Exception:  # noqa: S110 - a tracer's fault is no reason to refuse a prompt
        pass
