"""Preferences: what a person wants to be told, and means by default."""

from dataclasses import dataclass
from typing import Final

#: After how many hours people are asked about what they left running, unless somebody chose otherwise.
ASKS_AFTER: Final = 12
#: As many hours as nothing runs: an earlier release that reads it asks nobody either.
NEVER: Final = 1_000_000
#: What Slack's assistant may do for a person, each with all before it.
LEVELS: Final = ("nothing", "show", "start", "stop")


@dataclass(frozen=True, slots=True)
class Preferences:
    """Hold a person's preferences.

    ``ready``, ``stopped`` (by itself) and ``run_ended`` say what is sent as a message; the rest only shows
    on the card. ``workspace_id`` is what a bare `start` means, ``connection`` and ``template`` what new
    workspaces are made from; "" for none. ``asks_after`` is after how many hours they are asked whether a
    workspace that runs on is still needed, None if they didn't choose (``ASKS_AFTER``), ``NEVER`` if they
    don't want to be. ``assistant`` is what Slack's may do for them, one of ``LEVELS``.
    """

    ready: bool = True
    stopped: bool = False
    run_ended: bool = True
    workspace_id: str = ""
    connection: str = ""
    template: str = ""
    asks_after: int | None = None
    assistant: str = "show"

    def lets_assistant(self, level: str) -> bool:
        """Return whether Slack's assistant may do for them what is of this level."""
        return level in LEVELS[: LEVELS.index(self.assistant) + 1]
