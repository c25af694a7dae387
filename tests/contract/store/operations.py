"""An accepted start in the database."""

from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.store import operations
from tests.rigs.store import accept_operation


async def start(store, clock, workspace, seconds=None, *, call=Call.ACCEPTED):
    """Accept a start and return it. If `seconds` are given, finish it after that time."""
    started = (await accept_operation(store, workspace)).operation
    if seconds is not None:
        await store.write(
            operations.save_step, Update(started.id, 1.0, start_call=call, called=call is not Call.NONE)
        )
        clock.advance(seconds)
        await store.write(operations.save_step, Update(started.id, 0.0, outcome=Outcome.FULFILLED))
    return started
