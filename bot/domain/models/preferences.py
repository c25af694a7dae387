"""What a person wants to hear by direct message, when, and what they mean when they don't say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preferences:
    """Hold a person's preferences.

    ``ready``, ``stopped`` (by itself) and ``run_ended`` say what is sent as a message of its own; of the rest
    the card tells. ``quiet_from`` and ``quiet_to`` are minutes since midnight in the person's zone, both None
    without quiet hours. ``workspace_id`` is what a bare `start` means, ``connection`` and ``template`` what
    new workspaces are made from; "" for none.
    """

    ready: bool = True
    stopped: bool = False
    run_ended: bool = True
    quiet_from: int | None = None
    quiet_to: int | None = None
    workspace_id: str = ""
    connection: str = ""
    template: str = ""
