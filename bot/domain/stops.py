"""Stops: the ways to bring a workspace down, what each does to it, and the times at which that is planned.

What a way does (``returns``, ``keeps``, ``ends``, ``erases``) is declared by the provider, and what
*Restart*, *Stop* and planned ends do follows from that without naming one. A question about an end for good
stays as it was drawn and is pressed hours later; so its call is planned on a newer read, and what costs more
than its person knew is asked again. Where nothing is lost for good nobody is asked: that would be a click
every evening.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final, Literal, Self

#: How a workspace is brought down.
#: - ``stop``: the provider's normal stop.
#: - ``suspend``: with what is in its memory kept.
#: - ``force``: without asking the IDE, which may not answer.
StopMode = Literal["stop", "suspend", "force"]
#: What a stop would interrupt or lose now; people are asked about it first.
#: - ``busy``: something runs in it.
#: - ``unsaved``: not everything in it is saved.
#: - ``memory``: its memory, which is kept while it is suspended.
StopRisk = Literal["busy", "unsaved", "memory"]
#: What happens to a workspace at ``expires_at`` if nobody does anything.
#: - ``stops``: it stops, unless somebody uses it.
#: - ``stops_anyway``: it stops, whether or not somebody uses it.
#: - ``removed``: it is removed.
ExpiryMode = Literal["stops", "stops_anyway", "removed"]


class StopEffect(StrEnum):
    """The effect of a stop on its workspace.

    Attributes:
        RETURNS: It can be started again; what was in its memory is lost.
        KEEPS: It can be started again and resumes where it was, memory included.
        ENDS: It can't be started again; saved files survive it.
        ERASES: It can't be started again, and everything stored only in it is lost.
    """

    RETURNS = "returns"
    KEEPS = "keeps"
    ENDS = "ends"
    ERASES = "erases"

    @property
    def is_final(self) -> bool:
        """Return whether the workspace is gone for good."""
        return self in (StopEffect.ENDS, StopEffect.ERASES)


class Consent(IntEnum):
    """A person's consent to a stop: that a workspace ends for good, and knowing what was at stake or not."""

    NONE = 0
    GIVEN = 1
    KNOWING = 2


def costs_more(stop_risks: frozenset[StopRisk], consent: Consent, *, is_planned: bool) -> bool:
    """Return whether an end would cost more than its person knew when they agreed to it.

    Of a planned one they were warned; but what is busy then wasn't when they planned it. That a suspended one
    loses its memory is said in any case.
    """
    counted = stop_risks & ({"busy"} if is_planned else {"busy", "unsaved"})
    return bool(counted) and consent is not Consent.KNOWING


#: What each way of stopping does to a workspace; ways that aren't listed aren't available.
StopEffects = Mapping[StopMode, StopEffect]
NO_EFFECTS: Final[StopEffects] = {}


def choose_restart_mode(effects: StopEffects) -> StopMode | None:
    """Return the stop after which a workspace can be started again; None if there is no way."""
    if effects.get("stop") is StopEffect.RETURNS:
        return "stop"
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else None


def choose_gentlest_mode(effects: StopEffects) -> StopMode:
    """Return the stop for anybody but the owner: suspended if that keeps the memory, else stopped."""
    return "suspend" if effects.get("suspend") is StopEffect.KEEPS else "stop"


def choose_planned_mode(effects: StopEffects) -> StopMode:
    """Return the stop for a time that the workspace's owner set: suspended if a stop would end it."""
    return choose_gentlest_mode(effects) if is_final(effects, "stop") else "stop"


def ends_by_consent(effects: StopEffects, *, is_any: bool) -> bool:
    """Return whether a class card warns that its end may end workspaces for good; pressing agrees to that.

    ``effects`` is what the card goes by. ``is_any``: it isn't known for every workspace whether it can be
    suspended.
    """
    return is_final(effects, "stop") and (is_any or choose_gentlest_mode(effects) == "stop")


def is_final(effects: StopEffects, mode: StopMode) -> bool:
    """Return whether stopping a workspace this way ends it for good."""
    effect = effects.get(mode)
    return effect is not None and effect.is_final


#: Because of what a workspace is stopped at a time: its person said so; it was made for a course, for a first
#: look; a class, a lesson or hours end; nobody has said that it is still needed, or uses the room they got.
Because = Literal["own", "look", "class", "lesson", "hours", "needed", "room"]


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """The time and the way of a workspace's stop; ``agreed``: its person knows that this ends it for good.

    ``warns``: its person is warned in any case, as somebody who didn't name that time just now. ``source`` is
    the card or the rule that it is because of, ``title`` what its course is called, and ``over_at`` when the
    lesson ends. ``since`` is when its person has set it. ``via`` is through what they asked for it, and
    ``start`` the operation that has to bring the workspace up for it to hold.
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
        """Return the class because of which it is set."""
        return self.source if self.because == "class" else None

    @property
    def rule(self) -> str | None:
        """Return the hours or lessons because of which it is set."""
        return self.source if self.because in {"lesson", "hours"} else None


@dataclass(frozen=True, slots=True)
class PlannedStops:
    """Hold the ends of a workspace, one for each reason, and the one that counts."""

    rows: tuple[PlannedStop, ...] = ()
    counts: PlannedStop | None = None

    def has(self, source: str) -> bool:
        """Return whether one of them is because of a card or a rule."""
        return any(one.source == source for one in (*self.rows, *filter(None, [self.counts])))

    def remove_reasons(self, *reasons: str) -> tuple[PlannedStop, ...]:
        """Return those that are for other reasons: kinds, cards and rules, or starts."""
        return tuple(one for one in self.rows if not {one.because, one.source, one.start} & {*reasons})

    def add_end(self, new: PlannedStop) -> tuple[PlannedStop, ...]:
        """Return them with a new one, instead of the one for the same reason."""
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
