"""Slack's user groups (``S…``, ``T…:S…``), by which operators name many people at once."""

from collections.abc import Callable, Collection, Iterable
from typing import Final

#: How long it counts what Slack said of a group, in seconds: whoever isn't known to be in it then is not.
COUNTS_FOR: Final = 3600.0


def is_group(name: str) -> bool:
    """Return whether a name is a group's; those of people begin with U or W."""
    return name.rpartition(":")[2].startswith("S")


class UserGroups:
    """The members of the user groups in settings, as Slack last said; of any other, nobody is.

    In memory. Restart: read again. Several processes: each reads them every five minutes.
    """

    def __init__(self) -> None:
        self.names: Collection[str] = ()
        self._monotonic: Callable[[], float] = lambda: 0.0
        self._said: dict[str, tuple[float, frozenset[str]]] = {}

    def follow(self, names: Iterable[str], monotonic: Callable[[], float]) -> None:
        """Have those of these names that are groups asked about; what is said counts by that time."""
        self.names, self._monotonic = sorted(set(filter(is_group, names))), monotonic

    def hold(self, name: str, users: Iterable[str]) -> None:
        """Know the users of a group from now on; those of ``T…:S…`` are ``T…:U…``."""
        place = name[: name.find(":") + 1]
        self._said[name] = self._monotonic() + COUNTS_FOR, frozenset(f"{place}{user}" for user in users)

    def expand(self, names: Collection[str]) -> frozenset[str]:
        """Return the names of people, with those in the groups in place of these."""
        people = frozenset(name for name in names if not is_group(name))
        if len(people) == len(names):
            return people
        now, said = self._monotonic(), [self._said[name] for name in self._said.keys() & set(names)]
        return people.union(*(users for until, users in said if now < until))
