"""Helpers that start a workspace by command, and end the operation."""

from bot.domain.steps import Update
from bot.store import operations


async def started(bot):
    """Start the notebook and return the operation."""
    await bot.link()
    await bot.say("start")
    return await bot.store.read(operations.find_latest_operation, (await bot.workspace()).id)


async def end(bot, operation, outcome, cause=None):
    """End an operation as the reconciler does."""
    (step,) = await bot.store.claim(operations.claim_operations, 1, 60.0)
    assert step.subject.id == operation.id
    await bot.store.write(
        operations.save_step,
        Update(operation.id, 0.0, outcome=outcome, cause=cause, claim=getattr(step, "claim", "")),
    )
