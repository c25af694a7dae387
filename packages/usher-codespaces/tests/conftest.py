"""Provides the conformance kit with a rig: its interface to the local GitHub."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from codespaces_rig import codespaces_rig

from usher.conformance.rigs import Rig


@pytest.fixture
def open_rig() -> Callable[..., AbstractAsyncContextManager[Rig]]:
    """Return the function that opens the local GitHub's rig."""
    return codespaces_rig
