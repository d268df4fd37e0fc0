"""One prompt as the server delivered it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ._program import Program


class Snapshot:
    """A copy of a prompt, shared between callers: what was delivered is never changed.

    ``reads`` and the nanoseconds they took, ``spent``, are what the telemetry has not collected yet; ``since`` is when
    this process took the copy in.
    """

    __slots__ = ("_program", "data", "etag", "meta", "reads", "revision", "since", "spent")

    def __init__(
        self, data: dict[str, Any], meta: Mapping[str, Any], etag: str | None = None, revision: int | None = None
    ) -> None:
        self.data = data
        self.meta = meta
        self.etag = etag
        self.revision = revision
        self.reads = self.spent = 0
        self.since = time.time()
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The template, taken apart once for however many renderings."""
        program = self._program
        if program is None:
            program = self._program = Program(self.data)
        return program
