"""The environments of the JupyterHub releases that tests run against; the Makefile creates them."""

from typing import Any, Final

import pytest

from tests.project.repository import ROOT

#: The newest release, which most tests run against, and the older ones that are still in use.
NEWEST: Final = 6
ALL: Final = (4, 5, NEWEST)


def list_params(group: str) -> list[Any]:
    """Return the releases as parameters of a fixture: the oldest runs in `make test-thorough` alone.

    The tests of a group at one release share their hub, and so a worker.
    """
    thorough = {min(ALL): [pytest.mark.thorough]}
    return [
        pytest.param(one, marks=[pytest.mark.xdist_group(f"{group}-{one}"), *thorough.get(one, ())])
        for one in reversed(ALL)
    ]


def find_python(release: int) -> str:
    """Return the interpreter of a release's environment; the test fails where there is none."""
    folder = ROOT / f".venv/hub-{release}"
    if not (folder / ".installed").is_file():
        pytest.fail(f"JupyterHub {release} isn't installed: make .venv/hub-{release}/.installed")
    return str(folder / "bin/python")


#: What a token may do whose permissions were left empty, beside what the hub's roles grant it at services.
_SCOPES: Final = (
    *("access:servers", "delete:servers", "read:servers", "read:tokens", "read:users", "read:users:activity"),
    *("read:users:groups", "read:users:name", "servers", "tokens", "users:activity"),
)
_SINCE_5: Final = ("read:shares", "read:users:shares", "users:shares")
_SINCE_6: Final = ("start:servers",)


def list_full_scopes(release: int, username: str) -> list[str]:
    """Return the scopes of such a token as a release tells them, in its order."""
    names = (*_SCOPES, *(_SINCE_5 if release >= 5 else ()), *(_SINCE_6 if release >= 6 else ()))
    return [f"{name}!user={username}" for name in sorted(names)]
