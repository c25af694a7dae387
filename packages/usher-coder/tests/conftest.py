import pytest
from coder_rig import coder_rig


@pytest.fixture
def open_rig():
    return coder_rig
