"""Local servers of other packages, with which the demonstration runs as well.

A package has an entry point of the group ``usher.playground``: a function that, given the names of the people
who have accounts, returns the fields of its ``Guest``. Only those that ``--with`` names are imported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final

from playground.processes import StageError

GROUP: Final = "usher.playground"


@dataclass(frozen=True, slots=True)
class Guest:
    """Say what a package brings: its local server, what that starts with, and the connection to it.

    ``module`` is run with ``--port`` and ``--seed FILE``, and prints a ready line. ``settings`` are the
    connection's, but for the base URL. People sign in below ``sign_in`` with their token.
    """

    name: str
    title: str
    module: str
    seed: Mapping[str, Any]
    settings: Mapping[str, str]
    sign_in: str = "/login"


def invited(packages: Collection[str], people: Collection[str]) -> list[Guest]:
    """Return what the named packages bring; raise StageError for one that brings nothing."""
    found = {one.dist.name: one for one in entry_points(group=GROUP) if one.dist is not None}
    lacking = sorted(set(packages) - found.keys())
    if lacking:
        raise StageError(f"{', '.join(lacking)} isn't installed here, or brings no local server")
    return [Guest(**found[name].load()(people)) for name in packages]
