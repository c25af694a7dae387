"""What holds for all tests: how long an example of Hypothesis takes decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
