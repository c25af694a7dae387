"""Ends: which of a workspace's ends counts; pure.

A workspace is stopped once, however many lessons, classes and hours end in it: at the time that this table
gives. What its person set last, knowing of the others, wins; of what is left the latest does,
so that the end of one class stops nobody in another, but for what isn't used while somebody waits for it.
With one timer, whoever joined a course shortly before a lesson was stopped in the middle of it, by the hour
of their first look.
"""

from collections.abc import Callable, Collection
from typing import Final

from bot.domain.stops import PlannedStop

#: What goes without saying once its person has named a time.
_BY_ITSELF: Final = frozenset({"hours", "needed"})
#: What others take part in.
_SHARED_REASONS: Final = frozenset({"class", "lesson", "look"})


def choose_end(
    ends: Collection[PlannedStop],
    agreed_at: float,
    postpone: Callable[[PlannedStop], PlannedStop | None],
    is_needed_after: Callable[[float], bool],
) -> PlannedStop | None:
    """Return the end that counts; None if there is none, or plans of the person's own go on.

    An own end counts, earlier or later, if it was set since ``agreed_at``, when they last joined a class or a
    course. Otherwise the latest does, unless a lesson begins before it that ends later (``postpone``).
    ``is_needed_after`` is whether plans of the person's own need the workspace beyond a time.
    """
    # Who may only start something says nothing of what else is to stop it.
    own = next((one for one in ends if one.because == "own" and not (one.start and len(ends) > 1)), None)
    unused = next((one for one in ends if one.because == "room"), None)
    if unused is not None and not any(
        one.because in _SHARED_REASONS or one.since > unused.since for one in ends
    ):
        # Somebody waits for it who would use it, so it isn't kept until its hours end.
        ends = (unused if own is None or own.at > unused.at else own,)
    elif own is not None and own.since >= agreed_at:
        return own
    others = [one for one in ends if one.because != "own" and not (own and one.because in _BY_ITSELF)]
    among = [*others, *(one for one in ends if one is own)]
    # What else is to stop it says for how long it is needed.
    latest = max(among, key=lambda one: (one.because != "needed", one.at), default=None)
    while latest is not None and (later := postpone(latest)) is not None:
        latest = later
    if latest is not None and latest.because == "lesson" and is_needed_after(latest.at):
        return None
    return latest
