"""The installation of a wheel, once for each file of tests that has one."""

import pytest

from tests.app.terminal import install


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the command of a wheel that is installed where nothing of the checkout is."""
    return install(tmp_path_factory.mktemp("wheel"))
