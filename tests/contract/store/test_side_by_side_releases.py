"""0.1.0, 0.2.0, this release and a later one on one database: each takes what it knows, and nothing else."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.project.repository import ROOT
from tests.rigs import postgres, releases

_BEGIN = """
import asyncio, json, sys
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.store import cards, open_store
from bot.store.tasks import NewTask, TaskKind
from bot.support.clock import SystemClock, SystemIds
OLIVIA, CHEN = Principal(None, "T1", "U1"), Principal(None, "T1", "U2")
given = json.load(sys.stdin)
async def all_of(work):
    found = []
    for url in given["urls"]:
        store = await open_store(url, SystemClock(), SystemIds())
        await store.begin_serving()
        found.append(await work(store))
        await store.close()
    print(json.dumps(found))
"""
#: A notice about a workspace and a task, of each of the kinds that are given.
WRITES = (
    _BEGIN
    + """
async def work(store):
    body = {"workspace": "w1", "connection": "saturn"}
    for name in given["notices"]:
        await store.add_notices([NewNotice(name, NoticeKind(name), "1", OLIVIA, body)])
    for name in given["tasks"]:
        await store.add_tasks([NewTask(TaskKind(name), name)])
        await store.add_tasks([NewTask(TaskKind(name), name, {"then": [1]})])
asyncio.run(all_of(work))
"""
)
#: News for somebody who has quiet hours all day long, at 0.1.0, which are over then.
HOLDS = (
    _BEGIN
    + """
from bot.domain.people import Preferences
from bot.store import people
async def work(store):
    quiet = Preferences(quiet_from=0, quiet_to=1439)
    await store.carry_out(lambda tx: people.save_preferences(tx, CHEN, quiet))
    for subject in ("one", "two"):
        await store.add_notices([NewNotice(subject, NoticeKind.OUTAGE, "1", CHEN)])
    assert await store.claim_notices(10, 60.0) == []
    await store.engine.write(lambda tx: tx.run("UPDATE notices SET held_until = 0 WHERE held_until > 0"))
asyncio.run(all_of(work))
"""
)
#: Everything that is due is taken and done; messages about the workspace are marked dirty before.
TAKES = (
    _BEGIN
    + """
async def work(store):
    await store.engine.write(lambda tx: cards.owe_about(tx, "w1", changed=True))
    await store.engine.write(lambda tx: tx.run("UPDATE cards SET updated_at = 0"))
    redrawn = []
    while found := await store.claim_cards(10, 0.0, 60.0):
        assert all(card.channel_id == "D1" and card.message_ts for card in found)
        redrawn += [card.subject for card in found]
        for card in found:
            await store.card_updated(card.id, card)
    notices = await store.claim_notices(10, 60.0)
    for number, notice in enumerate(notices):
        await store.notice_sent(notice.id, "D1", f"{given['at']}.{number}")
    tasks = await store.claim_tasks(10, 60.0)
    for task in tasks:
        await store.task_retry(task, 0.0)
    for task in await store.claim_tasks(10, 60.0):
        await store.task_done(task)
    left = (await store.statistics())["tasks"]
    return [[notice.subject for notice in notices], sorted(redrawn), [task.subject for task in tasks], left]
asyncio.run(all_of(work))
"""
)


@dataclass
class Releases:
    """The four, and the databases that they share."""

    first: Path
    second: Path
    now: Path
    next: Path
    urls: list[str]

    async def take(self, release: Path, at: int) -> list[object]:
        """Let a release take what is due; return what it took, the same from every engine."""
        first, *others = await releases.asked(release, TAKES, urls=self.urls, at=at)
        assert all(one == first for one in others)
        return first


@pytest.fixture
def four(tmp_path):
    urls = [f"sqlite:///{tmp_path}/usher.db", postgres.new_database("usher_releases")]
    first, second = (releases.earlier(one, tmp_path / one) for one in releases.COMMITS)
    return Releases(first, second, ROOT, releases.after(tmp_path / "next"), urls)


async def test_each_release_takes_what_it_knows_and_the_rest_is_left_to_who_does(four):
    first, second, now, later = four.first, four.second, four.now, four.next
    assert await four.take(first, 0) == [[], [], [], 0]
    kinds = {"notices": ["reported", "lost", "waiting"], "tasks": ["reconcile", "follow", "discover"]}
    await releases.asked(later, WRITES, urls=four.urls, **kinds)
    # Earlier ones start again on what the later release has migrated, and see nothing that they don't know.
    assert await four.take(first, 1) == [["waiting"], [], ["discover"], 0]
    assert await four.take(second, 2) == [[], ["waiting"], [], 2]
    assert await four.take(now, 3) == [["lost"], ["waiting"], ["follow"], 1]
    assert await four.take(later, 4) == [["reported"], ["lost", "waiting"], ["reconcile"], 0]
    # What was sent is looked at by each that knows its kind.
    assert await four.take(first, 5) == [[], ["waiting"], [], 0]
    assert await four.take(second, 6) == [[], ["waiting"], [], 0]
    assert await four.take(now, 7) == [[], ["lost", "waiting"], [], 0]
    assert await four.take(later, 8) == [[], ["lost", "reported", "waiting"], [], 0]


async def test_what_the_first_held_for_quiet_hours_is_sent_by_later_ones(four):
    assert await four.take(four.first, 0) == [[], [], [], 0]
    await releases.asked(four.first, HOLDS, urls=four.urls)
    assert await four.take(four.now, 1) == [["-:T1:U2"], [], [], 0]
    for release in (four.first, four.second):
        assert await four.take(release, 2) == [[], [], [], 0]
