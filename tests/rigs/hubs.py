"""The environments of the JupyterHub releases that tests run against. The Makefile creates them."""

from typing import Any, Final

import pytest

from tests.project.repository import ROOT

#: The newest release, which most tests run against, and all releases that are in use.
NEWEST: Final = 6
ALL: Final = (4, 5, NEWEST)


def list_params(group: str) -> list[Any]:
    """Return the releases as parameters of a fixture.

    The oldest release is only tested by `make test-thorough`. Tests of a group share a hub for each release,
    so they run in the same worker.
    """
    thorough = {min(ALL): [pytest.mark.thorough]}
    return [
        pytest.param(one, marks=[pytest.mark.xdist_group(f"{group}-{one}"), *thorough.get(one, ())])
        for one in reversed(ALL)
    ]


def find_python(release: int) -> str:
    """Return the path of the interpreter in a release's environment. Fail the test if it isn't installed."""
    folder = ROOT / f".venv/hub-{release}"
    if not (folder / ".installed").is_file():
        pytest.fail(f"JupyterHub {release} isn't installed: make .venv/hub-{release}/.installed")
    return str(folder / "bin/python")


#: Scopes of a token that was created without explicit permissions, except the scopes for services, which
#: depend on the hub's roles.
_SCOPES: Final = (
    *("access:servers", "delete:servers", "read:servers", "read:tokens", "read:users", "read:users:activity"),
    *("read:users:groups", "read:users:name", "servers", "tokens", "users:activity"),
)
_SINCE_5: Final = ("read:shares", "read:users:shares", "users:shares")
_SINCE_6: Final = ("start:servers",)


def list_full_scopes(release: int, username: str) -> list[str]:
    """Return the scopes of a token with all of its owner's permissions, in a release's order."""
    names = (*_SCOPES, *(_SINCE_5 if release >= 5 else ()), *(_SINCE_6 if release >= 6 else ()))
    return [f"{name}!user={username}" for name in sorted(names)]
