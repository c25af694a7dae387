"""A fixture that installs Usher's wheel, once for each test file that uses it."""

import pytest

from tests.app.terminal import install


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the path of the command ``usher``, installed from a wheel outside the checkout."""
    return install(tmp_path_factory.mktemp("wheel"))
