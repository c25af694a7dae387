"""Decides which of a workspace's planned stops takes effect. Pure functions.

A workspace may have several planned stops (*ends*), set by lessons, classes, working hours and its owner, but
only one of them takes effect. If the owner set an end after last joining a class or course, that end wins. If
not, the latest end wins, so that the end of one class doesn't stop the workspace of someone who is also in
another class. There is one exception: a workspace that isn't used while others wait for capacity may be
stopped earlier.
"""

from collections.abc import Callable, Collection
from typing import Final

from bot.domain.stops import PlannedStop

#: Reasons for stops that Usher schedules by itself. Such stops no longer apply once the owner has planned a
#: stop.
_BY_ITSELF: Final = frozenset({"hours", "needed"})
#: Reasons for stops that belong to a class or course. While such a stop is planned, the workspace isn't
#: stopped earlier just because others are waiting for capacity.
_SHARED_REASONS: Final = frozenset({"class", "lesson", "look"})


def choose_end(
    ends: Collection[PlannedStop],
    agreed_at: float,
    postpone: Callable[[PlannedStop], PlannedStop | None],
    is_needed_after: Callable[[float], bool],
) -> PlannedStop | None:
    """Return the planned stop that applies.

    Return None if there is none, or if the owner's working hours continue after a lesson. A stop that the
    owner set after last joining a class or course (``agreed_at``) applies even if it isn't the latest. If
    there is no such stop, the latest one applies. If a lesson begins before that stop and finishes later,
    ``postpone`` returns the lesson's end. ``is_needed_after`` returns whether the owner's working hours need
    the workspace after a given time.
    """
    # A stop set by an assistant that may start but not stop workspaces applies only to its own start. So it
    # doesn't override other planned stops.
    own = next((one for one in ends if one.because == "own" and not (one.start and len(ends) > 1)), None)
    unused = next((one for one in ends if one.because == "room"), None)
    if unused is not None and not any(
        one.because in _SHARED_REASONS or one.since > unused.since for one in ends
    ):
        # Someone else is waiting for this capacity, so the unused workspace is stopped even during working
        # hours.
        ends = (unused if own is None or own.at > unused.at else own,)
    elif own is not None and own.since >= agreed_at:
        return own
    others = [one for one in ends if one.because != "own" and not (own and one.because in _BY_ITSELF)]
    among = [*others, *(one for one in ends if one is own)]
    # A stop with the reason "needed" only means that nobody confirmed that the workspace is still needed. It
    # applies only if no other stop is planned.
    latest = max(among, key=lambda one: (one.because != "needed", one.at), default=None)
    while latest is not None and (later := postpone(latest)) is not None:
        latest = later
    if latest is not None and latest.because == "lesson" and is_needed_after(latest.at):
        return None
    return latest
