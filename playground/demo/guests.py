"""Local servers from other packages, which the demo can run as well.

Such a package has an entry point in the group ``usher.playground``: a function that gets the names of the
people who have accounts, and returns the fields of its ``Guest``. Only packages named with ``--with`` are
imported.
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
    """A package's part of the demo: its local server, and the connection to it.

    Attributes:
        name: The connection's name.
        title: The provider's title, as shown to people.
        module: The module that is run as ``python -m MODULE --port N --seed FILE``. It calls ``run_server``.
        seed: The server's initial data, as JSON. It contains at least each person's token.
        settings: The connection's keys, except ``base_url``.
        sign_in: The page where people sign in to their IDEs, with their token as the password.
    """

    name: str
    title: str
    module: str
    seed: Mapping[str, Any]
    settings: Mapping[str, str]
    sign_in: str = "/login"

    @property
    def package(self) -> str:
        """Return the name of the package that provides this guest."""
        return self.settings.get("from", self.name)


def invited(packages: Collection[str], people: Collection[str]) -> list[Guest]:
    """Return the guests of the named packages; raise StageError if a package doesn't have any."""
    found = {one.dist.name: one for one in entry_points(group=GROUP) if one.dist is not None}
    lacking = sorted(set(packages) - found.keys())
    if lacking:
        raise StageError(f"{', '.join(lacking)} isn't installed here, or brings no local server")
    return [Guest(**found[name].load()(people)) for name in packages]
