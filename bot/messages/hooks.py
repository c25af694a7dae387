"""Moments of drawing at which features may act."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.message_context import WorkspaceFacts
from bot.support.declarations import LayerHooks


class MessageHooks(LayerHooks):
    """The moments of drawing; each method adds nothing unless a feature's subclass has its own."""

    def list_row_sentences(self, view: WorkspaceFacts) -> Sequence[str]:
        """Return the sentences that a workspace's row in a list has besides its state."""
        return ()

    def list_plan_sentences(self, view: WorkspaceFacts) -> Sequence[str]:
        """Return sentences about the plans for a workspace."""
        return ()

    def describe_end(self, view: WorkspaceFacts, *, is_done: bool) -> str:
        """Return the sentence about an end that came of the feature, "" for any other.

        ``is_done``: whether it came about.
        """
        return ""

    def describe_stop(self, view: WorkspaceFacts) -> tuple[str, Mapping[str, Any]] | None:
        """Return the template and names of the warning of the feature's planned stop, None for others."""
        return None
