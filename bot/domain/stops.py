"""Stops: the ways to bring a workspace down, what each does to it, and planned stops.

The provider declares the effect of each way (``returns``, ``keeps``, ``ends``, ``erases``). What *Restart*,
*Stop* and planned stops do follows from those effects, whichever provider it is. People are asked before an
irreversible stop. They may press that question's button hours later, so the stop is planned on a newer read,
and they are asked again if it would cost more than they knew. Before a reversible stop nobody is asked, which
would be a click every evening.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final, Literal, Self

#: Ways to bring a workspace down.
#: - ``stop``: the provider's normal stop.
#: - ``suspend``: a stop that keeps the memory.
#: - ``force``: a stop that doesn't ask the IDE, which may not answer.
StopMode = Literal["stop", "suspend", "force"]
#: Things that a stop would interrupt or lose now. People are asked about them first.
#: - ``busy``: something runs in the workspace.
#: - ``unsaved``: not everything in it is saved.
#: - ``memory``: the memory that a suspended workspace keeps.
StopRisk = Literal["busy", "unsaved", "memory"]
#: The provider's own end of a workspace at ``expires_at``, if nobody does anything.
#: - ``stops``: the workspace stops, unless somebody uses it.
#: - ``stops_anyway``: the workspace stops, even if somebody uses it.
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
        """Return whether the workspace can't be started again."""
        return self in (StopEffect.ENDS, StopEffect.ERASES)


class Consent(IntEnum):
    """A person's consent to an irreversible stop: none, given, or given knowing the ``StopRisk``."""

    NONE = 0
    GIVEN = 1
    KNOWING = 2


def costs_more(stop_risks: frozenset[StopRisk], consent: Consent, *, is_planned: bool) -> bool:
    """Return whether an irreversible stop would cost more than its person knew when they agreed to it.

    The warning of a planned stop covers unsaved work, but nobody could know what would be busy then. The
    memory of a suspended workspace doesn't count, as every question says that it is lost.
    """
    counted = stop_risks & ({"busy"} if is_planned else {"busy", "unsaved"})
    return bool(counted) and consent is not Consent.KNOWING


#: The effect of each way of stopping. Ways that aren't listed aren't available.
StopEffects = Mapping[StopMode, StopEffect]
NO_EFFECTS: Final[StopEffects] = {}


def choose_restart_mode(effects: StopEffects) -> StopMode | None:
    """Return a stop after which the workspace can be started again; None if there is none."""
    if effects.get("stop") is StopEffect.RETURNS:
        return "stop"
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else None


def choose_gentlest_mode(effects: StopEffects) -> StopMode:
    """Return the stop that anybody but the owner may plan: suspend if that keeps the memory, else stop."""
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else "stop"


def choose_planned_mode(effects: StopEffects) -> StopMode:
    """Return the stop for a time that the owner set: suspend, if possible, when a stop is irreversible."""
    return choose_gentlest_mode(effects) if is_final(effects, "stop") else "stop"


def ends_by_consent(effects: StopEffects, *, is_any: bool) -> bool:
    """Return whether a class card warns that the end of the class may be irreversible for workspaces.

    Who presses the card's button agrees to that. ``effects`` are those that the card assumes. With
    ``is_any``, people join with workspaces of any kind, so some may not be suspendable.
    """
    return is_final(effects, "stop") and (is_any or choose_gentlest_mode(effects) == "stop")


def is_final(effects: StopEffects, mode: StopMode) -> bool:
    """Return whether stopping a workspace this way is irreversible."""
    effect = effects.get(mode)
    return effect is not None and effect.is_final


#: Reasons for a planned stop.
#: - ``own``: the workspace's person named the time.
#: - ``look``: the workspace was created for a course, and the time for a first look is over.
#: - ``class``, ``lesson``, ``hours``: one of these ends.
#: - ``needed``: nobody has said that the workspace is still needed.
#: - ``room``: its person waited for capacity and doesn't use it.
Because = Literal["own", "look", "class", "lesson", "hours", "needed", "room"]


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A planned stop of a workspace: its time and its way.

    ``agreed``: its person knows that the stop is irreversible. ``warns``: they are warned even if the stop is
    near, because they didn't name the time themselves. ``source`` is the id of the class card or hours rule
    that planned it, ``title`` the course's title, ``over_at`` the end of the lesson, and ``since`` when it
    was set. ``via`` names the assistant that asked for it, if one did. ``start`` is the operation that has to
    bring the workspace up, otherwise the stop is dropped.
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
        """Return the id of the class that planned it; None if no class did."""
        return self.source if self.because == "class" else None

    @property
    def rule(self) -> str | None:
        """Return the id of the hours or course that planned it; None if neither did."""
        return self.source if self.because in {"lesson", "hours"} else None


@dataclass(frozen=True, slots=True)
class PlannedStops:
    """The planned stops of a workspace, one for each reason and source, and the one that counts."""

    rows: tuple[PlannedStop, ...] = ()
    counts: PlannedStop | None = None

    def has(self, source: str) -> bool:
        """Return whether a card or rule planned one of them."""
        return any(one.source == source for one in (*self.rows, *filter(None, [self.counts])))

    def remove_reasons(self, *reasons: str) -> tuple[PlannedStop, ...]:
        """Return the stops without those that have one of these reasons, sources or starts."""
        return tuple(one for one in self.rows if not {one.because, one.source, one.start} & {*reasons})

    def add_end(self, new: PlannedStop) -> tuple[PlannedStop, ...]:
        """Return the stops with a new one, which replaces that of the same reason and source."""
        key = (new.because, new.source)
        return (*(one for one in self.rows if (one.because, one.source) != key), new)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Read them back from JSON."""
        return cls(
            tuple(PlannedStop(**one) for one in given["rows"]),
            given["counts"] and PlannedStop(**given["counts"]),
        )


NO_PLANNED_STOPS: Final = PlannedStops()
