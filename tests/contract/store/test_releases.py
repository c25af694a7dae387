"""Migrations say which releases can bear them, and releases are compared as numbers."""

import re

import pytest

from bot.store import schema
from bot.support.release import RELEASE, STOP, is_newer, newest

#: What a process of a release before can't work with.
TAKES_AWAY = re.compile(
    r"\bDROP (TABLE|COLUMN)\b|\bRENAME\b|\bALTER COLUMN\b|\bADD CONSTRAINT\b"
    r"|\bADD COLUMN (?![^;]*\bDEFAULT\b)[^;]*\bNOT NULL\b"
)


def takes_away(script):
    """Return whether a process of the release before would fail on the schema that this migration leaves."""
    tables = re.findall(r"\bCREATE UNIQUE INDEX \w+ ON (\w+)", script)
    return bool(TAKES_AWAY.search(script)) or any(f"CREATE TABLE {one} " not in script for one in tables)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("ALTER TABLE t ADD COLUMN c TEXT; CREATE INDEX i ON t (c); DROP INDEX j;", False),
        ("ALTER TABLE t ADD COLUMN c BIGINT NOT NULL DEFAULT 0;", False),
        ("ALTER TABLE t ADD COLUMN c BIGINT NOT NULL;", True),
        ("ALTER TABLE t ADD COLUMN c TEXT;\nALTER TABLE t DROP COLUMN d;", True),
        ("DROP TABLE t;", True),
        ("ALTER TABLE t RENAME TO u;", True),
        ("CREATE UNIQUE INDEX i ON t (c);", True),
        ("CREATE TABLE n (c TEXT NOT NULL); CREATE UNIQUE INDEX i ON n (c);", False),
    ],
)
def test_what_an_earlier_release_can_bear(script, expected):
    assert takes_away(script) is expected


def test_every_migration_names_the_oldest_release_that_can_bear_it():
    oldest = {name: schema.oldest(name, script) for name, script in schema.migrations().items()}
    wrong = [
        name
        for name, script in schema.migrations().items()
        if is_newer(oldest[name], RELEASE) or (takes_away(script) and not is_newer(oldest[name], STOP))
    ]
    assert wrong == []


def test_release_numbers_are_compared_as_numbers():
    assert is_newer("0.10.0", "0.9.9")
    assert not is_newer("0.2.0", "0.2.0")
    assert newest(["0.9.0", "0.10.0", "0.2.0"]) == "0.10.0"
    assert is_newer(RELEASE, STOP)
