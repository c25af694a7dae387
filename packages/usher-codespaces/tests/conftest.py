"""The kit reaches Codespaces through this package's rig."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from codespaces_rig import codespaces_rig

from usher.conformance.rigs import Rig


@pytest.fixture
def open_rig() -> Callable[..., AbstractAsyncContextManager[Rig]]:
    """Return the rig of the local GitHub."""
    return codespaces_rig
