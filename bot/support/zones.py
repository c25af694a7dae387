"""Time zone data, taken from the system or from the tzdata package, whichever is newer."""

import re
import zoneinfo
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bot.support.environment import read_variable

#: Files whose first line gives the version of the time zone data, as ``# version 2026a`` or ``2026a``.
_NAMED_IN: Final = ("tzdata.zi", "+VERSION")
#: Matches a version of the time zone data. Data built from a working copy may say "unknown" instead.
_VERSION_PATTERN: Final = re.compile(r"\d{4}[a-z]+")


def choose_zones() -> None:
    """Make this process use the package's time zone data if that is newer than the system's.

    The package's data is also used if the system has none or doesn't say which version it has. If
    PYTHONTZPATH is set, nothing is changed.
    """
    if not read_variable("PYTHONTZPATH") and read_system_version() < read_package_version():
        zoneinfo.reset_tzpath([])
        zoneinfo.ZoneInfo.clear_cache()


def describe_zones() -> str:
    """Return a description of the time zone data that this process uses."""
    system = read_system_version()
    if not zoneinfo.TZPATH:
        return f"tzdata {read_package_version()} of the Python package"
    return f"tzdata {system or 'of unknown age'} of the system"


def read_system_version() -> str:
    """Return the version of the system's time zone data, such as ``2026a``, or "" if it is unknown."""
    for folder in zoneinfo.TZPATH:
        for name in _NAMED_IN:
            try:
                with Path(folder, name).open(encoding="ascii", errors="replace") as file:
                    first = file.readline()
            except OSError:
                continue
            if version := _VERSION_PATTERN.search(first):
                return version[0]
    return ""


def read_package_version() -> str:
    """Return the version of the time zone data in the package tzdata, or "" if it isn't installed."""
    if find_spec("tzdata") is None:
        return ""
    return str(import_module("tzdata").IANA_VERSION)
