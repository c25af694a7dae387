"""Features that people lost in an upgrade. Each loss is stored until the person has been told about it."""

from typing import Final

from bot.store.queues import Queue, declare_queue

LOSS_QUEUE: Final = declare_queue(
    Queue(
        name="upgrade_losses", kind="upgrade_losses", is_scheduled=True, table="upgrade_losses", due="due_at"
    )
)
