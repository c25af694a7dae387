"""Test of ``benchmarks.minimum``: it accepts each start once, and Usher can verify its audit log."""

import sqlite3

import pytest
from cryptography.fernet import Fernet

from benchmarks.crowd import TEAM, Crowd, Deployment, settle
from benchmarks.minimum import accept
from bot.domain.workspaces import State
from bot.store import audit, open_store
from bot.support.clock import SystemClock, SystemIds

CROWD = Crowd(2, 2)


def wish(person: int, workspace: int, trigger: str) -> dict[str, str]:
    given = {"team_id": TEAM, "user_id": CROWD.user(person), "trigger_id": trigger}
    return given | {"text": f"start {CROWD.workspace(workspace).upper()}"}


@pytest.fixture
async def url(tmp_path):
    place = Deployment(
        f"sqlite:///{tmp_path / 'usher.db'}", Fernet.generate_key().decode(), "https://saturn.example.org"
    )
    await settle(CROWD, place, State.STOPPED)
    return place.database_url


async def test_the_minimum_accepts_each_wish_once_and_usher_verifies_its_audit(url):
    with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as db:
        db.row_factory = sqlite3.Row
        first = accept(db, 1_000.0, wish(0, 0, "1"))
        assert first["name"] == CROWD.workspace(0)
        assert accept(db, 1_001.0, wish(1, 0, "2"))["workspace"] != first["workspace"]
        # A repeated click, a workspace that is already being started, one that doesn't exist, and a person
        # who has left.
        assert accept(db, 1_002.0, wish(0, 1, "1")) is None
        assert accept(db, 1_003.0, wish(0, 0, "3")) is None
        assert accept(db, 1_004.0, wish(0, 7, "4")) is None
        db.execute("UPDATE people SET is_deleted = 1")
        assert accept(db, 1_005.0, wish(0, 1, "5")) is None
        db.execute("UPDATE people SET is_deleted = 0")
        db.execute("UPDATE accounts SET state = 'refused'")
        assert accept(db, 1_006.0, wish(0, 1, "6")) is None
        assert db.execute("SELECT COUNT(*) FROM operations").fetchone()[0] == 2
    store = await open_store(url, SystemClock(), SystemIds())
    try:
        assert [one["action"] for one in await store.read(audit.read_audit)] == ["workspace.start"] * 2
        assert (await store.perform(audit.verify_audit)) is None
    finally:
        await store.close()
