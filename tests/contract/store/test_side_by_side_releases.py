"""0.2.1, this release and a later one on one database: each takes what it knows, and nothing else."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.support.release import STOP
from tests.project.repository import ROOT
from tests.rigs import postgres, releases

_BEGIN = """
import asyncio, json, sys
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.store import cards, open_store
from bot.store.tasks import NewTask, TaskKind
from bot.support.clock import SystemClock, SystemIds
# 0.2.1 has all of them in one class.
ANY = NoticeKind.__base__
OF = ANY.__subclasses__() if ANY.__name__ == "AnyKind" else [NoticeKind]
KINDS = {kind: kind for kinds in OF for kind in kinds}
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
        await store.add_notices([NewNotice(name, KINDS[name], "1", OLIVIA, body)])
    for name in given["tasks"]:
        await store.add_tasks([NewTask(TaskKind(name), name)])
        await store.add_tasks([NewTask(TaskKind(name), name, {"then": [1]})])
asyncio.run(all_of(work))
"""
)
#: Everything that is due is taken and done; messages about the workspace are marked dirty before.
TAKES = (
    _BEGIN
    + """
async def work(store):
    queue = getattr(cards, "queue_messages", None) or cards.owe_about  # as it was called before
    await store.engine.write(lambda tx: queue(tx, "w1", changed=True))
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
    """The three, and the databases that they share."""

    stop: Path
    now: Path
    next: Path
    urls: list[str]

    async def take(self, release: Path, at: int) -> list[object]:
        """Let a release take what is due; return what it took, the same from every engine."""
        first, *others = await releases.asked(release, TAKES, urls=self.urls, at=at)
        assert all(one == first for one in others)
        return first


@pytest.fixture
def three(tmp_path):
    urls = [f"sqlite:///{tmp_path}/usher.db", postgres.new_database("usher_releases")]
    stop = releases.earlier(STOP, tmp_path / STOP)
    return Releases(stop, ROOT, releases.after(tmp_path / "next"), urls)


async def test_each_release_takes_what_it_knows_and_the_rest_is_left_to_who_does(three):
    stop, now, later = three.stop, three.now, three.next
    assert await three.take(stop, 0) == [[], [], [], 0]
    kinds = {"notices": ["reported", "room_over", "waiting"], "tasks": ["reconcile", "go_on", "discover"]}
    await releases.asked(later, WRITES, urls=three.urls, **kinds)
    # The earlier one starts again on what the later release has migrated, and takes what it knows.
    assert await three.take(stop, 1) == [["waiting"], [], ["discover"], 2]
    assert await three.take(now, 2) == [["room_over"], ["waiting"], ["go_on"], 1]
    assert await three.take(later, 3) == [["reported"], ["room_over", "waiting"], ["reconcile"], 0]
    # What was sent is looked at by each that knows its kind.
    assert await three.take(stop, 4) == [[], ["waiting"], [], 0]
    assert await three.take(now, 5) == [[], ["room_over", "waiting"], [], 0]
    assert await three.take(later, 6) == [[], ["reported", "room_over", "waiting"], [], 0]


async def test_what_0_2_1_leaves_beside_is_done_by_who_comes_next(three):
    kinds = {"notices": ["lost", "waiting"], "tasks": ["revocation", "follow", "discover"]}
    await releases.asked(three.stop, WRITES, urls=three.urls, **kinds)
    assert await three.take(three.now, 1) == [
        ["lost", "waiting"],
        [],
        ["revocation", "follow", "discover"],
        0,
    ]
    assert await three.take(three.stop, 2) == [[], ["lost", "waiting"], [], 0]
    assert await three.take(three.now, 3) == [[], ["lost", "waiting"], [], 0]
