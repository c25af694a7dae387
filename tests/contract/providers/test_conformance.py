"""The providers in this repository pass the conformance kit."""

import pytest

from usher.conformance.every import *  # noqa: F403

pytestmark = pytest.mark.asyncio(loop_scope="session")
