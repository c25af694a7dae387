"""Stop modes, their effects on a workspace, and planned stops.

The provider declares the effect of each mode (``returns``, ``keeps``, ``ends``, ``erases``). These effects
determine what *Restart*, *Stop* and planned stops do. Users must confirm an irreversible stop, and may do so
hours after being asked. So the decision relies on a newer read, and users are asked again if the stop would
lose more than they were told. A reversible stop needs no confirmation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final, Literal, Self

#: Ways to stop a workspace.
#: - ``stop``: the provider's normal stop.
#: - ``suspend``: a stop that keeps the memory.
#: - ``force``: a stop without asking the IDE, which may not be answering.
StopMode = Literal["stop", "suspend", "force"]
#: Risks of stopping a workspace now. Users are asked to accept each risk first.
#: - ``busy``: something is running in the workspace.
#: - ``unsaved``: the workspace contains unsaved work.
#: - ``memory``: a suspended workspace would lose its memory.
StopRisk = Literal["busy", "unsaved", "memory"]
#: What a provider itself does to a workspace at ``expires_at``, unless someone prevents it.
#: - ``stops``: the workspace stops, unless it is in use.
#: - ``stops_anyway``: the workspace stops, even if it is in use.
#: - ``removed``: the workspace is removed.
ExpiryMode = Literal["stops", "stops_anyway", "removed"]


class StopEffect(StrEnum):
    """The effect of a stop on its workspace.

    Attributes:
        RETURNS: It can be started again, without what was in its memory.
        KEEPS: It can be started again and resumes where it was, memory included.
        ENDS: It can't be started again, but saved files survive.
        ERASES: It can't be started again, and everything stored only in it is lost.
    """

    RETURNS = "returns"
    KEEPS = "keeps"
    ENDS = "ends"
    ERASES = "erases"

    @property
    def is_final(self) -> bool:
        """Return whether the workspace can't be started again after this stop."""
        return self in (StopEffect.ENDS, StopEffect.ERASES)


class Consent(IntEnum):
    """A user's consent to an irreversible stop, and whether they knew its ``StopRisk`` when they gave it."""

    NONE = 0
    GIVEN = 1
    KNOWING = 2


def costs_more(stop_risks: frozenset[StopRisk], consent: Consent, *, is_planned: bool) -> bool:
    """Return whether an irreversible stop would lose more than the owner knew when they agreed to it.

    Before a planned stop, the warning mentions unsaved work, and nobody could know in advance what would be
    busy by then. A suspended workspace's memory doesn't count, because every confirmation says that it will
    be lost.
    """
    counted = stop_risks & ({"busy"} if is_planned else {"busy", "unsaved"})
    return bool(counted) and consent is not Consent.KNOWING


#: Maps each available stop mode to its effect on the workspace. Modes that aren't listed aren't available.
StopEffects = Mapping[StopMode, StopEffect]
NO_EFFECTS: Final[StopEffects] = {}


def choose_restart_mode(effects: StopEffects) -> StopMode | None:
    """Return a stop mode after which the workspace can be started again, or None if there isn't one."""
    if effects.get("stop") is StopEffect.RETURNS:
        return "stop"
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else None


def choose_gentlest_mode(effects: StopEffects) -> StopMode:
    """Return the mode for stops that the owner didn't plan: suspend if that keeps the memory, else stop."""
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else "stop"


def choose_planned_mode(effects: StopEffects) -> StopMode:
    """Return the mode for stops that the owner planned: stop or, if that is final, the gentlest mode."""
    return choose_gentlest_mode(effects) if is_final(effects, "stop") else "stop"


def ends_by_consent(effects: StopEffects, *, is_any: bool) -> bool:
    """Return whether a class card must warn that workspaces may be stopped irreversibly when the class ends.

    With that warning, pressing the card's button counts as consent. ``effects`` maps each stop mode to the
    effect that it is assumed to have. If ``is_any`` is true, people may join with any kind of workspace, even
    one that can't be suspended.
    """
    return is_final(effects, "stop") and (is_any or choose_gentlest_mode(effects) == "stop")


def is_final(effects: StopEffects, mode: StopMode) -> bool:
    """Return whether a workspace can't be started again after a stop in this mode."""
    effect = effects.get(mode)
    return effect is not None and effect.is_final


#: The reason why a stop was planned.
#: - ``own``: the workspace's owner chose the time.
#: - ``look``: the workspace was created for a course, and the stop ends the time for a first look.
#: - ``class``, ``lesson``, ``hours``: the workspace was running for a class, a lesson or working hours, and
#:   the stop is planned for when they are over.
#: - ``needed``: nobody has said that the workspace is still needed.
#: - ``room``: its owner got capacity from the waitlist but isn't using the workspace.
Because = Literal["own", "look", "class", "lesson", "hours", "needed", "room"]


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """When and how to stop a workspace, as planned.

    ``agreed`` means that the owner knows that the stop is irreversible. ``warns`` means that the owner is
    warned even if the stop is near, because someone or something else chose the time. ``source`` is the id of
    the class card or hours rule that planned the stop, ``title`` is the course's title, ``over_at`` is the
    end of the lesson, and ``since`` is when the stop was set. ``via`` names the assistant that asked for it,
    if any. ``start`` is the operation that must bring the workspace up first. If that operation doesn't, the
    stop is dropped.
    """

    at: float
    mode: StopMode
    agreed: bool = False
    warns: bool = False
    because: Because = "own"
    source: str = ""
    title: str = ""
    over_at: float = 0.0
    since: float = 0.0
    via: str = ""
    start: str = ""

    @property
    def card(self) -> str | None:
        """Return the id of the class that planned the stop, or None if no class did."""
        return self.source if self.because == "class" else None

    @property
    def rule(self) -> str | None:
        """Return the id of the hours rule or course that planned the stop, or None if neither did."""
        return self.source if self.because in {"lesson", "hours"} else None


@dataclass(frozen=True, slots=True)
class PlannedStops:
    """A workspace's planned stops, at most one for each reason and source, and which of them takes effect."""

    rows: tuple[PlannedStop, ...] = ()
    counts: PlannedStop | None = None

    def remove_reasons(self, *reasons: str) -> tuple[PlannedStop, ...]:
        """Return the planned stops, without those that have any of the given reasons, sources or starts."""
        return tuple(one for one in self.rows if not {one.because, one.source, one.start} & {*reasons})

    def add_end(self, new: PlannedStop) -> tuple[PlannedStop, ...]:
        """Return the stops with a new one added. It replaces any stop with the same reason and source."""
        key = (new.because, new.source)
        return (*(one for one in self.rows if (one.because, one.source) != key), new)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Rebuild the planned stops from their JSON."""
        counts = given["counts"] and PlannedStop(**given["counts"])
        return cls(tuple(PlannedStop(**one) for one in given["rows"]), counts)


NO_PLANNED_STOPS: Final = PlannedStops()
