"""Our providers keep what the kit asks of everybody's."""

import pytest

from usher.conformance.every import *  # noqa: F403

pytestmark = pytest.mark.asyncio(loop_scope="session")
