"""What stopping a workspace means: declared by its provider, obeyed by all that stops or restarts; pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from bot.domain.models.workspaces import StopMode


class StopEffect(StrEnum):
    """Name what becomes of a workspace that is stopped in some way."""

    #: It can be started again; what was in its memory is lost.
    RETURNS = "returns"
    #: It can be started again and goes on where it was, with what is in its memory.
    KEEPS = "keeps"
    #: It can't be started again; files that were saved are still there without it.
    ENDS = "ends"
    #: It can't be started again, and everything stored only in it is lost.
    ERASES = "erases"

    @property
    def is_final(self) -> bool:
        """Say whether it never comes back."""
        return self in (StopEffect.ENDS, StopEffect.ERASES)


#: What each way of stopping does to a workspace; a way that is left out can't be taken.
Effects = Mapping[StopMode, StopEffect]
NO_EFFECTS: Effects = MappingProxyType({})


def restart_mode(effects: Effects) -> StopMode | None:
    """Return how a workspace is stopped to be started again; None where nothing brings it back."""
    if effects.get("stop") is StopEffect.RETURNS:
        return "stop"
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else None


def gentlest_mode(effects: Effects) -> StopMode:
    """Return how others than its owner stop a workspace: suspended where that keeps work."""
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else "stop"


def ends_by_consent(effects: Effects, *, is_any: bool) -> bool:
    """Say whether a class card says that its end may end workspaces for good: whoever presses agrees to that.

    ``effects`` is what the card goes by; ``is_any``: it is not known of each workspace whether it can be
    suspended.
    """
    return is_final(effects, "stop") and (is_any or gentlest_mode(effects) == "stop")


def is_final(effects: Effects, mode: StopMode) -> bool:
    """Say whether a workspace that is stopped in this way never comes back."""
    effect = effects.get(mode)
    return effect is not None and effect.is_final
