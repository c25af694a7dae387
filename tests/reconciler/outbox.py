"""A message in the outbox."""

from bot.domain.notices import NewNotice, NoticeKind
from bot.store import counts as count_rows
from tests.rigs.store import ALICE

POST = "chat.postMessage"


def message(number=1, principal=ALICE, kind=NoticeKind.MESSAGE, **body):
    return NewNotice(f"subject-{number}", kind, "1", principal, {"text": f"message {number}", **body})


async def outbox(world):
    counts = await world.store.perform(count_rows.count_rows)
    return counts["pending_notices"], counts["dead_notices"]
