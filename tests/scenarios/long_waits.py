"""A start that waits for long."""

MINUTE = 60.0


async def waiting(linked):
    """Start what never comes up, and let its deadline pass."""
    linked.resource("notebook").start_seconds = 100_000
    await linked.alice.types("start notebook")
    await linked.pass_time(4 * MINUTE, step=10)
    return linked.alice.only("waiting")
