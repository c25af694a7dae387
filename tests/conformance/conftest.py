"""The conformance kit's fixtures, with the rig from Coder's package."""

import pytest
from coder_rig import coder_rig

from usher.conformance import impatient_rig, linked_rig, quiet_rig, rig

__all__ = ["impatient_rig", "linked_rig", "quiet_rig", "rig"]


@pytest.fixture
def open_rig():
    return coder_rig
