"""The conformance kit's tests for GitHub Codespaces, and checks against GitHub's API document."""

import pytest
from codespaces_rig import codespaces_rig
from test_github import *  # noqa: F403

from usher.conformance.every import *  # noqa: F403


@pytest.fixture
def open_rig():
    return codespaces_rig
