"""What holds for all tests: how long one takes decides nothing; long matrices are played in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

settings.register_profile("usher", deadline=None)
settings.load_profile("usher")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-call",
        action="store_true",
        help="fail and kill at every single call, in each way, instead of at some of them",
    )


#: Of the slow rows of these every third is played by default, all with ``--every-call``: the contract tests
#: of the providers put every call through every sort of trouble, quickly.
LONG_MATRICES: Final = (
    "tests/faults/test_posit.py",
    "tests/faults/test_saturn_cloud.py",
    "tests/scenarios/test_provider_matrix.py",
)
KEPT: Final = 3


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--every-call"):
        return
    rows = [one for one in items if one.nodeid.startswith(LONG_MATRICES) and one.get_closest_marker("slow")]
    left_out = {one.nodeid for number, one in enumerate(rows) if number % KEPT}
    if left_out:
        config.hook.pytest_deselected(items=[one for one in items if one.nodeid in left_out])
        items[:] = [one for one in items if one.nodeid not in left_out]
