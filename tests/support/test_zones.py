"""Tests that the newer time zone data is used, the system's or the package's."""

import zoneinfo
from datetime import UTC, datetime

import pytest

from bot.support import zones


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system's time zone data, of which only the version file exists."""
    former = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path)])
    monkeypatch.delenv("PYTHONTZPATH", raising=False)
    yield tmp_path
    zoneinfo.reset_tzpath(former)
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.parametrize(
    ("name", "text", "is_package"),
    [
        ("tzdata.zi", "# version 2025b\n# redo\n", True),
        ("+VERSION", "2025b\n", True),
        ("tzdata.zi", "# version 2999a\n", False),
        ("+VERSION", "2999a\n", False),
        ("readme", "", True),
        ("tzdata.zi", "# version unknown\n", True),
        ("tzdata.zi", "", True),
        ("+VERSION", "2025b-12-g0a1b2c3-dirty\n", True),
        ("+VERSION", "\r\n", True),
    ],
)
def test_newer_zone_data_decides(system, name, text, is_package):
    (system / name).write_text(text)
    zones.choose_zones()
    assert (zoneinfo.TZPATH == ()) is is_package
    assert ("package" in zones.describe_zones()) is is_package


def test_operators_own_path_decides(system, monkeypatch):
    monkeypatch.setenv("PYTHONTZPATH", str(system))
    zones.choose_zones()
    assert (str(system),) == zoneinfo.TZPATH


def test_rules_of_the_package_are_read(system):
    zones.choose_zones()
    winter = datetime(2026, 12, 15, 17, tzinfo=UTC).astimezone(zoneinfo.ZoneInfo("America/Vancouver"))
    assert winter.hour == 10
