"""Kinds of messages about rows that were lost by a failover or by restoring an older backup."""

from bot.domain.message_kinds import AnyKind, Traits


class FailoverKind(AnyKind):
    """Kinds of messages about losses."""

    #: The database lost requests that were already answered. The message says how things are now.
    WRITES_LOST = Traits("writes_lost", offers="workspace")
    #: A link that its person has ended may be back.
    BACKUP_RESTORED = Traits("backup_restored")
