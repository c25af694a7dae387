"""Schedules of jobs: what is told of them."""

from bot.domain.message_kinds import AnyKind, Traits


class ScheduleKind(AnyKind):
    """Name what is told about schedules."""

    SCHEDULED = Traits("scheduled")
