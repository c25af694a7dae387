"""Variables that look like settings and are none: a misspelt one would be ignored without a word; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: How similar (0–100) a variable is to a setting that isn't set to be taken for it.
_ALIKE: Final = 88.0
#: Variables that begin like this are for Usher; those of other programs begin with SLACK_, too.
OURS: Final = "USHER_"
PREFIXES: Final = (OURS, "SLACK_")


def strangers(
    given: Iterable[str], known: Collection[str], referenced: Collection[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Return the misspelt variables with the settings they look like, and the others that do nothing.

    ``known`` are the settings, ``referenced`` the variables that a secret is read from (``env:NAME``).
    """
    names = {name.upper(): name for name in given if name.upper().startswith(PREFIXES)}
    unset = [name for name in known if name not in names]
    misspelt: dict[str, str] = {}
    unknown: list[str] = []
    for upper, name in sorted(names.items()):
        if upper in known or name in referenced:
            continue
        near = process.extractOne(upper, unset, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        if near is not None:
            misspelt[name] = near[0]
        elif upper.startswith(OURS):
            unknown.append(name)
    return misspelt, unknown
