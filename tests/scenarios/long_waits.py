"""A start that waits for a long time."""

from bot.domain.work_items import DEADLINE_SECONDS

#: Time, in seconds, after which the deadline of an operation has certainly passed.
PAST_DEADLINE = DEADLINE_SECONDS + 60.0


async def waiting(linked):
    """Start a workspace that never comes up, and let the deadline pass."""
    linked.resource("notebook").start_seconds = 100_000
    await linked.alice.types("start notebook")
    await linked.pass_time(PAST_DEADLINE, step=30)
    return linked.alice.only("waiting")
