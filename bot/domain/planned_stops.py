"""Which of a workspace's planned stops counts. Pure functions.

Several lessons, classes and hours may plan a stop of the same workspace, but only one of these *ends* counts.
An end that its owner set after they last joined a class or course wins. Otherwise the latest end wins, so
that the end of one class doesn't stop anyone who is in another. The exception is an unused workspace whose
capacity others are waiting for. With a single timer, someone who joined a course shortly before a lesson was
stopped in the middle of it, when the hour for their first look was over.
"""

from collections.abc import Callable, Collection
from typing import Final

from bot.domain.stops import PlannedStop

#: Reasons for an end that no longer count once the owner has set an end themselves.
_BY_ITSELF: Final = frozenset({"hours", "needed"})
#: Reasons for an end that come from a class or course, which is shared with other people.
_SHARED_REASONS: Final = frozenset({"class", "lesson", "look"})


def choose_end(
    ends: Collection[PlannedStop],
    agreed_at: float,
    postpone: Callable[[PlannedStop], PlannedStop | None],
    is_needed_after: Callable[[float], bool],
) -> PlannedStop | None:
    """Return the end that counts; None if there is none, or if the owner's hours go on after a lesson.

    The owner's end counts, even if it isn't the latest, if it was set since ``agreed_at``, when they last
    joined a class or course. Otherwise the latest end counts. If a lesson begins before that end and finishes
    later, ``postpone`` returns the lesson's end. ``is_needed_after`` returns whether the owner's hours need
    the workspace beyond a time.
    """
    # An assistant that may start but not stop workspaces only sets an end for its own start, so other ends
    # still count.
    own = next((one for one in ends if one.because == "own" and not (one.start and len(ends) > 1)), None)
    unused = next((one for one in ends if one.because == "room"), None)
    if unused is not None and not any(
        one.because in _SHARED_REASONS or one.since > unused.since for one in ends
    ):
        # Someone else is waiting for the workspace's capacity, so it isn't kept until its hours end.
        ends = (unused if own is None or own.at > unused.at else own,)
    elif own is not None and own.since >= agreed_at:
        return own
    others = [one for one in ends if one.because != "own" and not (own and one.because in _BY_ITSELF)]
    among = [*others, *(one for one in ends if one is own)]
    # Every other end says how long the workspace is needed, so "needed" only counts if there is no other.
    latest = max(among, key=lambda one: (one.because != "needed", one.at), default=None)
    while latest is not None and (later := postpone(latest)) is not None:
        latest = later
    if latest is not None and latest.because == "lesson" and is_needed_after(latest.at):
        return None
    return latest
