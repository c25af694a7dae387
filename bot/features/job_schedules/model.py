"""Kinds of messages about schedules of jobs."""

from bot.domain.message_kinds import AnyKind, Traits


class ScheduleKind(AnyKind):
    """The kinds of messages about schedules."""

    SCHEDULED = Traits("scheduled")
