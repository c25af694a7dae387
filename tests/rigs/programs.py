"""Programs that some tests need. Without its program, a test is skipped, or fails if all are required.

``.ci/run`` installs them all and then sets ``TEST_PROGRAMS_REQUIRED``.
"""

import os
import shutil
from typing import NoReturn

import pytest

#: The Debian packages that have the programs.
PACKAGES = {
    "jq": "jq",
    "pgbouncer": "pgbouncer",
    "promtool": "prometheus",
}


def require(name: str) -> str:
    """Return the path of a program; without it, skip the test, or fail."""
    return shutil.which(name) or leave(f"there is no {name}: install Debian's package {PACKAGES[name]}")


def leave(why: str) -> NoReturn:
    """Skip a test that lacks something, or fail where nothing may be lacking."""
    if os.environ.get("TEST_PROGRAMS_REQUIRED"):
        pytest.fail(why)
    pytest.skip(why)


def require_browser() -> None:
    """Skip the test, or fail, without a Chromium (or a Chrome) and its driver."""
    if not has_browser():
        leave("there is no Chromium with its driver: install Debian's package chromium-driver")


def has_browser() -> bool:
    """Return whether there is a Chromium, or a Chrome, and its driver."""
    return shutil.which("chromedriver") is not None and find_browser() is not None


def find_browser() -> str | None:
    """Return the path of Chromium or Chrome."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
