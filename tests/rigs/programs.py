"""Programs that some tests need.

If a program is missing, its tests are skipped. They fail instead if ``TEST_PROGRAMS_REQUIRED`` is set, as in
``.ci/run``, which installs all of them.
"""

import os
import shutil
from typing import NoReturn

import pytest

#: The Debian packages that contain the programs.
PACKAGES = {
    "jq": "jq",
    "pgbouncer": "pgbouncer",
    "promtool": "prometheus",
}


def require(name: str) -> str:
    """Return the path of a program. If it is missing, skip or fail the test."""
    return shutil.which(name) or leave(f"there is no {name}: install Debian's package {PACKAGES[name]}")


def leave(why: str) -> NoReturn:
    """Skip the test because it lacks something, or fail it if nothing may be missing."""
    if os.environ.get("TEST_PROGRAMS_REQUIRED"):
        pytest.fail(why)
    pytest.skip(why)


def require_browser() -> None:
    """Skip or fail the test if Chromium (or Chrome) or its driver is missing."""
    if not has_browser():
        leave("there is no Chromium with its driver: install Debian's package chromium-driver")


def has_browser() -> bool:
    """Return whether Chromium (or Chrome) and its driver are installed."""
    return shutil.which("chromedriver") is not None and find_browser() is not None


def find_browser() -> str | None:
    """Return the path of Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
