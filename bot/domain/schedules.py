"""Schedules of jobs: what is told of them."""

from bot.domain.kinds import AnyKind, Traits


class ScheduleKind(AnyKind):
    """Name what is told about schedules."""

    SCHEDULED = Traits("scheduled")
