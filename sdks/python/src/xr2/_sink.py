"""A client, as its hub sees it."""

from __future__ import annotations

from typing import Any, Protocol

from ._table import Table


class Sink(Protocol):
    """A client, as the hub sees it. All of it is called from the hub's threads."""

    def stream_opened(self, revision: int | None, *, vouched: bool) -> None:
        """The stream is open; ``vouched`` where it tells of everything, not of one label only."""

    def stream_lost(self, heard_at: float) -> None:
        """The stream is gone."""

    def prompt_changed(self, event: dict[str, Any]) -> None:
        """A prompt has changed."""

    def all_uncertain(self, revision: int | None) -> None:
        """Changes were left out."""

    def table_filled(self, table: Table) -> None:
        """A label's prompts are in memory now."""

    def key_refused(self) -> None:
        """The server says that the key is no longer good."""

    def tell(self) -> None:
        """Something may have another text now."""
