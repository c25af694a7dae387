"""Losses: what is told where a failover has lost rows, or an older backup stands in their place."""

from bot.domain.message_kinds import AnyKind, Traits


class FailoverKind(AnyKind):
    """Kinds of messages about losses."""

    #: What the database lost of what somebody was answered, and how things are.
    WRITES_LOST = Traits("writes_lost", offers="workspace")
    #: A link which its person ended may be back.
    BACKUP_RESTORED = Traits("backup_restored")
