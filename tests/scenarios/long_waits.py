"""A start that waits for long."""

from bot.domain.work_items import DEADLINE_SECONDS

#: How long a test waits until a deadline has passed, in seconds.
PAST_DEADLINE = DEADLINE_SECONDS + 60.0


async def waiting(linked):
    """Start what never comes up, and let its deadline pass."""
    linked.resource("notebook").start_seconds = 100_000
    await linked.alice.types("start notebook")
    await linked.pass_time(PAST_DEADLINE, step=30)
    return linked.alice.only("waiting")
