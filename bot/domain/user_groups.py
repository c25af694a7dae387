"""Slack's user groups (``S…``, ``T…:S…``). Operators use them to name many people at once."""

from collections.abc import Callable, Collection, Iterable
from typing import Final

#: How long, in seconds, the list of a group's members stays valid. If it hasn't been read again by then, the
#: group counts as empty.
COUNTS_FOR: Final = 3600.0


def is_group(name: str) -> bool:
    """Return whether a name in the settings is the ID of a user group. People's IDs begin with U or W."""
    return name.rpartition(":")[2].startswith("S")


class UserGroups:
    """The members of the user groups that the settings name, as last reported by Slack.

    A group that Slack hasn't reported lately is treated as empty. Each process reads the members every five
    minutes and keeps them only in memory.
    """

    def __init__(self) -> None:
        self.names: Collection[str] = ()
        self._monotonic: Callable[[], float] = lambda: 0.0
        self._said: dict[str, tuple[float, frozenset[str]]] = {}

    def follow(self, names: Iterable[str], monotonic: Callable[[], float]) -> None:
        """Remember which of these names are groups whose members must be read from Slack.

        ``monotonic`` is the clock used to measure how old their lists of members are.
        """
        self.names, self._monotonic = sorted(set(filter(is_group, names))), monotonic

    def hold(self, name: str, users: Iterable[str]) -> None:
        """Store the members of a group. Those of a ``T…:S…`` group are stored as ``T…:U…``."""
        place = name[: name.find(":") + 1]
        self._said[name] = self._monotonic() + COUNTS_FOR, frozenset(f"{place}{user}" for user in users)

    def expand(self, names: Collection[str]) -> frozenset[str]:
        """Return the IDs of people. Each group is replaced by its members."""
        people = frozenset(name for name in names if not is_group(name))
        if len(people) == len(names):
            return people
        now, said = self._monotonic(), [self._said[name] for name in self._said.keys() & set(names)]
        return people.union(*(users for until, users in said if now < until))
