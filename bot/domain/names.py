"""Names that Usher chooses: what people would say, with a number or a mark only where necessary; pure."""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_MARK_LENGTH: Final = 6


@dataclass(frozen=True, slots=True)
class FreeName:
    """Describe a name still to be chosen: its stem, and the names that the provider showed as taken."""

    stem: str
    taken: Collection[str] = ()

    def besides(self, others: Iterable[str]) -> str:
        """Return the name: the stem, or the stem with a number; unlike the taken names and ``others``."""
        taken = (*self.taken, *others)
        return free_name(self.stem, taken) or marked(self.stem, repr(sorted(taken)))


def free_name(stem: str, taken: Collection[str], between: str = "-") -> str:
    """Return an unused name, ignoring case; "" if a thousand are taken."""
    folded = {one.casefold() for one in taken}
    tries = (stem if number == 1 else f"{stem}{between}{number}" for number in range(1, 1000))
    return next((name for name in tries if name.casefold() not in folded), "")


def short(key: str) -> str:
    """Return an id of our own shortened to eight letters and digits, to fit into another name or id."""
    return re.sub(r"[^0-9a-z]", "", key.casefold())[-8:].rjust(8, "0")


def marked(stem: str, key: str) -> str:
    """Return a name that nobody else's key leads to, for a namespace that is shared with other people."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    mark = ""
    for _ in range(_MARK_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        mark += _DIGITS[digit]
    return f"{stem}-{mark}"
